// Package condition is the sandbox around expr-lang: it compiles the conditions (`when`) that
// PSPs write on their bundles, and the canonical programs that package engine writes for every
// bundle, and runs them against one payment (spec 3, E1–E5; spec 2, Q14). It is the only package
// that imports expr.
//
// # The language
//
// A condition is one boolean expression. It sees these names and no others (E1):
//
//	amount                       whole euro cents, the sum of the notices
//	notices, transfers           how many there are
//	digitalStamps                how many transfers are digital stamps
//	ecs, categories              how many different ECs and taxonomy codes the payment has
//	touchpoint, paymentType      the registered name, "ANY" when the payment names none
//	onUs                         the payer's card was issued by the bundle's PSP
//	date                         "2026-11-21", in Europe/Rome, as are all that follow
//	weekday                      1 Monday to 7 Sunday
//	month, day, hour, minute     1–12, 1–31, 0–23, 0–59
//	category("0102100SA")        the payment has that code; also "9/0102100SA/" and "01021*"
//	ec("77777777777")            the payment has a notice of that EC
//	time("08:00", "20:00")       from <= time of day < to; past midnight if to is not after from
//	weekend(), holiday()         Saturday or Sunday; a national public holiday of Italy
//
// and combines them with (E2)
//
//	true false 5000 "text" 'text'           literals; \\ and the escaped quote are the only escapes
//	== != < <= > >=                         of two whole numbers or two texts (== and != also of bools)
//	&& and  || or  ! not  ( )  ? :
//	startsWith endsWith                     of two texts
//	                                        texts are compared ignoring case
//	name in [1, 2]  name in 1..5  not in    a list or range of literals, on the right of a name
//
// Precedence is expr's: `not` binds tighter than a comparison, so it wants brackets:
// not (amount > 5000). There is no negative number, because no value is ever below zero, and no
// comment. A canonical program also sees taxonomyAsked, issuer, amex, subscribed, admits(psp,
// channel, broker) and carries(code, …).
//
// # Why it is safe
//
// Two independent layers stand before expr's compiler. The scanner reads the text itself and
// bounds bytes, nesting and words before expr's parser, whose recursion could otherwise end the
// process, sees it (E3). The checker walks the parsed tree and lets through a list of node kinds
// with known types, and nothing else (E2). What passes has no loop, no allocation and no
// arithmetic, so its cost is bounded by its size: at most NodesMax nodes.
//
// The package refuses to read a clock, to compute money, and to know what a bundle is. Start at
// Compile, then Evaluator, then Cache.
package condition

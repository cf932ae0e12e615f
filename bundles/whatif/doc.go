// Package whatif answers what a change of fees would do before it is made: where a PSP's draft would rank,
// which of the PSP's own bundles it would put in the shade, what a sample of payments would yield with it and
// without; and for a creditor institution, what bearing a share of the fees would cost it.
//
// It stores nothing. A PSP learns of others what every payer is quoted, and nothing else: rivals enter only
// with their GLOBAL bundles, so that no PUBLIC or PRIVATE terms of theirs are even in the snapshots that the
// answer is computed on. A draft that is PUBLIC or PRIVATE is looked at as the payers of an EC that
// subscribes to it, and bears nothing, would see it.
//
// Money is whole cents. Where several PSPs ask the lowest fee, fair chance gives each the same share of the
// payments (Q22): shares are added up as fractions and rounded once, half to even, at the end.
//
// Start at [Ask], for a PSP, and [Bear], for a creditor institution.
package whatif

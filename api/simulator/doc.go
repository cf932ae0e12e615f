// Package simulator serves the public page of fee transparency: who asks how much for a payment, and why.
// It shows quotes of the catalogue's current snapshot and changes nothing. It knows no key, sets no cookie,
// fetches nothing from elsewhere, never asks for a card number, and does not show the terms of PRIVATE
// bundles to anybody whose payment they do not apply to (A18).
//
// The page is rendered here, whole, for a plain GET form. The browser side (web/, built by Vite into dist/)
// adds style and fetches the same rendered parts again while fields change. Without that build the page
// works all the same, plain, and says how to build it.
//
// Where to start: [New] and routes.go say what is served, question.go how a URL becomes a question,
// answer.go how a question becomes rows, directory.go what a snapshot lets a person choose from, and texts/
// holds every text in five languages.
package simulator

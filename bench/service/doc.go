// Package service measures the running service: it starts the real binary and its floors as processes of
// their own, asks them over loopback, and tells what they can do at most (closed loop), how long an answer
// takes at a given rate (open loop), and what memory and processor time they need.
//
// The clients are made to cost little, because they share the machine with what they measure: requests are
// bytes made beforehand, answers are counted and thrown away. It refuses to judge; package report does.
// Where to start: [Start] and [StartFloor] for processes, [Target] for what is asked, [Peak] and [Steady] for
// the two loops.
package service

// Package evidence keeps the photos and files that show what a case is about.
// It says what a file is by its content, never by its name or a header; takes
// from a photo when and where it was taken, to offer that to the sender, and
// keeps the photo without it and all other metadata, its picture untouched to
// the byte; makes a small picture of it, once; and lets go of what no case has
// claimed within a day.
//
// It decodes nothing before it knows what that costs, and refuses what it
// cannot read to the end: what is kept is a picture, and a picture alone.
// Which case a file belongs to is entered with the case, in one transaction,
// by the store; who may see it is the case's question.
package evidence

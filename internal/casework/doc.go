// Package casework holds what the district does about what is found in its
// grids: the catalogue of items, each with the department that leads and the
// limits that it must keep; the working calendar by which those run; the life
// of a case, as one table of transitions; why it goes to whom; and the figures
// that come out of all cases.
//
// It is values and pure functions. It reads its tables from readers it is
// handed, is told who acts and when, and knows no files, no database, no HTTP
// and no accounts.
package casework

// Package auth says who is calling and what they may do: accounts, device
// tokens and share links, roles and jurisdictions, sessions, and the audit
// chain. It decides; httpapi asks it on every route, and store keeps its rows.
//
// It refuses to know what the routes do: an Action is a name, and the table in
// this file is the only place where a role gains one.
package auth

import (
	"slices"

	"lianqin/internal/fault"
)

// Role is what a caller is trusted with. Everyone has exactly one.
type Role string

// The roles. Public is who has not signed in at all. An operator does all of a
// centre's work; where that is divided, clerk, shift leader, dispatcher and
// deputy director each do their part of it.
const (
	Administrator     Role = "administrator"
	DistrictOperator  Role = "district-operator"
	StreetOperator    Role = "street-operator"
	AcceptanceClerk   Role = "acceptance-clerk"
	ShiftLeader       Role = "shift-leader"
	Dispatcher        Role = "dispatcher"
	DeputyDirector    Role = "deputy-director"
	VillageStation    Role = "village-station"
	DepartmentHandler Role = "department-handler"
	Inspector         Role = "inspector"
	Planner           Role = "planner"
	Approver          Role = "approver"
	PatrolDevice      Role = "patrol-device"
	Viewer            Role = "viewer"
	// Integration is another organisation's program that reports for citizens.
	Integration Role = "integration"
	Public      Role = "public"
)

// Roles are all roles that an account, a device or a link can have, in the
// order in which pages offer them.
var Roles = []Role{
	Administrator, DistrictOperator, StreetOperator, AcceptanceClerk, ShiftLeader, Dispatcher, DeputyDirector,
	VillageStation, DepartmentHandler, Inspector, Planner, Approver, PatrolDevice, Viewer, Integration,
}

// Action is something a route does that not everybody may.
type Action string

// The actions. One that reads is limited to the caller's jurisdiction where
// the thing read has one.
const (
	// Anyone is for what tells nothing: health, the sign-in page, the API's
	// own description.
	Anyone Action = "anyone"
	// ReadMap is the district's borders, and resolving a point.
	ReadMap Action = "map.read"
	// OwnSession is to see who one is, sign out, change one's own password.
	OwnSession Action = "session.own"
	// ReadGenerations is the list of generations and their differences, drafts
	// included.
	ReadGenerations Action = "generations.read"
	// DraftGenerations is to import and check boundaries.
	DraftGenerations Action = "generations.draft"
	// PublishGenerations is to put them in force.
	PublishGenerations Action = "generations.publish"
	// ManageAccounts is to create, change and disable accounts.
	ManageAccounts Action = "accounts.manage"
	// ManageDevices is to register patrol devices of one's jurisdiction and to
	// revoke them.
	ManageDevices Action = "devices.manage"
	// ManageLinks is to make share links and to revoke them.
	ManageLinks Action = "links.manage"
	// ReadAudit is the audit chain.
	ReadAudit Action = "audit.read"
	// ReadMetrics is the process's own counters.
	ReadMetrics Action = "metrics.read"
	// WatchPatrols is who is where, now and in the past of the whole: positions,
	// the live stream, replay, coverage, events.
	WatchPatrols Action = "patrols.read"
	// ReadTracks is one person's track; every look is entered in the audit
	// chain.
	ReadTracks Action = "tracks.read"
	// ManagePatrols is units, teams, the roster and which device reports for
	// whom.
	ManagePatrols Action = "patrols.manage"
	// ReadQuarantine is the reports that became no fix.
	ReadQuarantine Action = "quarantine.read"
	// SendPositions is to report where a unit is.
	SendPositions Action = "positions.write"
	// ReportCases is to open a case.
	ReportCases Action = "cases.report"
	// WatchCases is where cases are, of what, in which state and how long they
	// have, without words and people; and what needs a person now.
	WatchCases Action = "cases.watch"
	// TakeMatters is to take on what needs a person.
	TakeMatters Action = "attention.take"
	// ReportPublicly is the public channels: to report as a citizen does, to
	// follow what one reported, and to see what everybody may see of cases.
	ReportPublicly Action = "cases.report.public"
	// ReadCases is cases and their queues.
	ReadCases Action = "cases.read"
	// ActOnCases is to take a case further; which actions those are depends on
	// the case and on who one is.
	ActOnCases Action = "cases.act"
	// SendFiles is to send a photo or a file, for a case to name: without signing
	// in as well, at a rate of its own.
	SendFiles Action = "files.send"
	// ReadIndicators is the figures of cases.
	ReadIndicators Action = "indicators.read"
	// ReadFigureCases is the cases behind a figure, for those who may see both.
	ReadFigureCases Action = "indicators.cases"
	// ImportOrders is to enter the hotline's work orders.
	ImportOrders Action = "orders.import"
	// ImportCases is to enter whole histories of cases, which say themselves who
	// did what.
	ImportCases Action = "cases.import"
	// ReadCatalogue is the catalogue of items, in all versions, and the working
	// calendar.
	ReadCatalogue Action = "catalogue.read"
	// ManageCatalogue is to enter new versions of them.
	ManageCatalogue Action = "catalogue.manage"
	// ReadInspections is inspections that are finished, as far as they are about
	// what is one's own; and others for those who order them.
	ReadInspections Action = "inspections.read"
	// OrderInspections is to order and draw inspections, to give them to
	// inspectors and to end them.
	OrderInspections Action = "inspections.order"
	// RecordInspections is to inspect: to say what was found, and to have
	// something follow it.
	RecordInspections Action = "inspections.record"
	// SwitchMode is to turn the district from normal work to emergency and back.
	SwitchMode Action = "mode.switch"
)

// Actions are all actions.
var Actions = []Action{
	Anyone, ReadMap, OwnSession, ReadGenerations, DraftGenerations, PublishGenerations,
	ManageAccounts, ManageDevices, ManageLinks, ReadAudit, ReadMetrics,
	WatchPatrols, ReadTracks, ManagePatrols, ReadQuarantine, SendPositions,
	ReportCases, WatchCases, TakeMatters, ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ImportOrders, ImportCases, ReadCatalogue, ManageCatalogue, SwitchMode,
	ReportPublicly,
	ReadInspections, OrderInspections, RecordInspections,
}

// WholeDistrict reports whether a is about the district as a whole, so that a
// narrower jurisdiction does not do.
func (a Action) WholeDistrict() bool {
	switch a {
	case DraftGenerations, PublishGenerations, ReadAudit, ReadMetrics, ImportOrders, ImportCases, ManageCatalogue, SwitchMode:
		return true
	}
	return false
}

// allowed is the one table of who may do what. Administrators run the system
// and do not draw or approve borders; whoever drafts does not publish. They do
// not look at one person's track either.
var allowed = map[Role][]Action{
	Administrator: {Anyone, ReadMap, OwnSession, ReadGenerations, ManageAccounts, ManageDevices, ManageLinks, ReadAudit, ReadMetrics,
		WatchPatrols, ManagePatrols, ReadQuarantine, ReadIndicators, ImportCases, ReadCatalogue, ManageCatalogue},
	DistrictOperator: {Anyone, ReadMap, OwnSession, ReadGenerations, ManageDevices, ManageLinks,
		WatchPatrols, ReadTracks, ManagePatrols, ReadQuarantine,
		ReportCases, ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ImportOrders, ReadCatalogue, SwitchMode, ReadInspections, OrderInspections, WatchCases, TakeMatters},
	StreetOperator: {Anyone, ReadMap, OwnSession, ReadGenerations, ManageDevices,
		WatchPatrols, ReadTracks, ManagePatrols, ReadQuarantine,
		ReportCases, ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ReadCatalogue, ReadInspections, WatchCases, TakeMatters},
	AcceptanceClerk: {Anyone, ReadMap, OwnSession, WatchPatrols,
		ReportCases, ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ImportOrders, ReadCatalogue, WatchCases},
	ShiftLeader: {Anyone, ReadMap, OwnSession, ReadGenerations, WatchPatrols,
		ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ReadCatalogue, SwitchMode, ReadInspections, WatchCases, TakeMatters},
	Dispatcher: {Anyone, ReadMap, OwnSession, ReadGenerations, WatchPatrols,
		ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ReadCatalogue, WatchCases, TakeMatters},
	DeputyDirector: {Anyone, ReadMap, OwnSession, ReadGenerations, WatchPatrols,
		ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ReadCatalogue, SwitchMode, ReadInspections, OrderInspections, WatchCases, TakeMatters},
	VillageStation:    {Anyone, ReadMap, OwnSession, WatchPatrols, ReportCases, ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ReadCatalogue, WatchCases},
	DepartmentHandler: {Anyone, ReadMap, OwnSession, ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ReadCatalogue, ReadInspections, WatchCases},
	Inspector: {Anyone, ReadMap, OwnSession, ReadGenerations, ReadAudit, WatchPatrols, ReadTracks, ReadQuarantine,
		ReadCases, ActOnCases, SendFiles, ReadIndicators, ReadFigureCases, ReadCatalogue, ReadInspections, OrderInspections, RecordInspections, WatchCases, TakeMatters},
	Planner:      {Anyone, ReadMap, OwnSession, ReadGenerations, DraftGenerations},
	Approver:     {Anyone, ReadMap, OwnSession, ReadGenerations, PublishGenerations},
	PatrolDevice: {Anyone, ReadMap, OwnSession, SendPositions, ReportCases, ReadCases, ActOnCases, SendFiles, ReadCatalogue, WatchCases},
	Viewer:       {Anyone, ReadMap, OwnSession, WatchPatrols, ReadIndicators, ReadCatalogue, WatchCases},
	Public:       {Anyone, SendFiles},
	Integration:  {Anyone, OwnSession},
}

// May reports whether r may do a, its jurisdiction apart. The public channels
// are for every role: whoever works here is a citizen as well.
func (r Role) May(a Action) bool {
	own, ok := allowed[r]
	return ok && (a == ReportPublicly || slices.Contains(own, a))
}

// ParseRole reads a role's name; Public is none that can be given.
func ParseRole(s string) (Role, error) {
	if !slices.Contains(Roles, Role(s)) {
		return "", fault.InvalidField("role", "%q is not a role", s)
	}
	return Role(s), nil
}

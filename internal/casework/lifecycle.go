package casework

// The actions.
const (
	Report            Action = "report"
	AskVerification   Action = "ask-verification"
	Verify            Action = "verify"
	VerifyNotFound    Action = "verify-not-found"
	Accept            Action = "accept"
	NotAccept         Action = "not-accept"
	SelfHandle        Action = "self-handle"
	File              Action = "file"
	NotFile           Action = "not-file"
	Dispatch          Action = "dispatch"
	Take              Action = "take"
	AskReturn         Action = "ask-return"
	Return            Action = "return"
	ReturnMisdirected Action = "return-misdispatched"
	RefuseReturn      Action = "refuse-return"
	FinishStage       Action = "finish-stage"
	Dispose           Action = "dispose"
	Check             Action = "check"
	Close             Action = "close"
	Rework            Action = "rework"
	SendBack          Action = "send-back"
	AskExtension      Action = "ask-extension"
	ExtendOnce        Action = "extend"
	ExtendAgain       Action = "extend-again"
	RefuseExtension   Action = "refuse-extension"
	AskSuspension     Action = "ask-suspension"
	Suspend           Action = "suspend"
	RefuseSuspension  Action = "refuse-suspension"
	ReviewSuspension  Action = "review-suspension"
	EndSuspension     Action = "end-suspension"
	Supervise         Action = "supervise"
	Answer            Action = "answer"
	AskCoordination   Action = "ask-coordination"
	Rule              Action = "rule"
	Reassign          Action = "reassign"
	Escalate          Action = "escalate"
	Watch             Action = "watch"
	ReviewWatch       Action = "review-watch"
	Unwatch           Action = "unwatch"
	JoinDuty          Action = "joint-duty"
	Contribute        Action = "contribute"
	Reopen            Action = "reopen"
	Discard           Action = "void"
	FinishOrder       Action = "finish-order"
	AddNote           Action = "note"
	AddReport         Action = "add-report"
)

// The standards that transitions follow, by their codes in the register.
const (
	contents   = "B01" // 处理事件、部件工作内容纲要
	patrolling = "B02" // 联勤巡防队员勤务规程
	operating  = "B03" // 信息指挥员操作规程
	disposing  = "B04" // 处置部门处置反馈规程
	inspecting = "B05" // 督查员勤务规程
)

var (
	centre    = []Role{ShiftLeader, Dispatcher}
	checkers  = []Role{Patrol, Village, Inspector}
	anyone    = []Role{Patrol, Village, Clerk, ShiftLeader, Dispatcher, Handler, DeputyDirector, Inspector}
	withLead  = []State{Dispatched, Returned, InDisposal}
	beforeIt  = []State{Reported, ToVerify, Accepted, Filed, ToCheck} // open, and no department's clock runs
	watchable = append(append([]State{}, open...), Closed)
	reported  = append(append([]State{}, open...), Closed, NotAccepted, NotFiled, Void)
)

// LifeCycle is the life of a case: every way from one state to another and
// every overlay, and there are no others. Callers do not change it.
//
// What is not in the rows: a 12345 order's own clock, which starts with the
// order and which nothing here pauses or stops but finish-order.
var LifeCycle = []Transition{
	{Action: Report, Name: "上报", From: []State{Draft}, To: Reported, Who: []Role{Patrol, Village, Citizen, Hotline, Clerk, Inspector}, Needs: []Need{NeedsReport},
		Clocks: []ClockOp{{AcceptClock, Start}}, Standard: contents},
	{Action: AskVerification, Name: "核实", From: []State{Reported}, To: ToVerify, Who: []Role{Clerk}, Unless: Verified | standing,
		Clocks: []ClockOp{{VerifyClock, Start}}, Standard: operating},
	{Action: Verify, Name: "核实属实", From: []State{ToVerify}, To: Reported, Who: []Role{Patrol, Village}, Unless: standing, Needs: []Need{NeedsEvidence}, Sets: Verified,
		Clocks: []ClockOp{{VerifyClock, Stop}}, Standard: patrolling},
	{Action: VerifyNotFound, Name: "核实不属实", From: []State{ToVerify}, To: Reported, Who: []Role{Patrol, Village}, Unless: standing, Needs: []Need{NeedsReason},
		Clocks: []ClockOp{{VerifyClock, Stop}}, Standard: patrolling},
	{Action: Accept, Name: "受理", From: []State{Reported}, To: Accepted, Who: []Role{Clerk}, Unless: standing, Needs: []Need{NeedsItem, NeedsPlace, NeedsVerified},
		Clocks: []ClockOp{{AcceptClock, Stop}, {FileClock, Start}}, Standard: contents},
	{Action: NotAccept, Name: "不受理", From: []State{Reported}, To: NotAccepted, Who: []Role{Clerk}, Unless: standing, Needs: []Need{NeedsReason}, Clears: Supervised,
		Clocks: []ClockOp{{EveryClock, Stop}}, Standard: contents},
	{Action: SelfHandle, Name: "自行处置", From: []State{Reported}, To: ToCheck, Who: []Role{Patrol, Village}, Unless: standing, Needs: []Need{NeedsItem, NeedsPlace, NeedsEvidence}, Sets: SelfHandled,
		Clocks: []ClockOp{{AcceptClock, Cancel}}, Standard: patrolling},
	{Action: File, Name: "立案", From: []State{Accepted}, To: Filed, Who: []Role{ShiftLeader}, Unless: standing, Needs: []Need{NeedsItem, NeedsPlace, NeedsVerified},
		Clocks: []ClockOp{{FileClock, Stop}, {DispatchClock, Start}}, Standard: contents},
	{Action: NotFile, Name: "不立案", From: []State{Accepted}, To: NotFiled, Who: []Role{ShiftLeader}, Unless: standing, Needs: []Need{NeedsReason}, Clears: Supervised,
		Clocks: []ClockOp{{EveryClock, Stop}}, Standard: contents},
	{Action: Dispatch, Name: "派遣", From: []State{Filed}, To: Dispatched, Who: []Role{Dispatcher}, Unless: standing, Needs: []Need{NeedsLead},
		Clocks: []ClockOp{{DispatchClock, Stop}, {ResponseClock, Start}, {DisposalClock, Start}}, Standard: operating},
	{Action: Take, Name: "接收", From: []State{Dispatched}, To: InDisposal, Who: []Role{Handler}, Unless: standing,
		Clocks: []ClockOp{{ResponseClock, Stop}}, Standard: disposing},
	{Action: AskReturn, Name: "申请退单", From: []State{Dispatched}, To: Returned, Who: []Role{Handler}, Unless: standing, Needs: []Need{NeedsReason}, Standard: disposing},
	{Action: Return, Name: "同意退单", From: []State{Returned}, To: Filed, Who: []Role{Dispatcher}, Unless: standing,
		Clocks: []ClockOp{{ResponseClock, Cancel}, {DisposalClock, Pause}, {DispatchClock, Start}}, Standard: operating},
	{Action: ReturnMisdirected, Name: "同意退单（误派）", From: []State{Returned}, To: Filed, Who: []Role{Dispatcher}, Unless: standing,
		Clocks: []ClockOp{{ResponseClock, Cancel}, {DisposalClock, Cancel}, {DispatchClock, Start}}, Standard: operating},
	{Action: RefuseReturn, Name: "不同意退单", From: []State{Returned}, To: Dispatched, Who: []Role{Dispatcher}, Unless: standing, Needs: []Need{NeedsReason}, Standard: operating},
	{Action: FinishStage, Name: "完成阶段", From: []State{InDisposal}, Who: []Role{Handler}, Unless: standing, Needs: []Need{NeedsStage, NeedsEvidence}, Standard: disposing},
	{Action: Dispose, Name: "处置完成", From: []State{InDisposal}, To: ToCheck, Who: []Role{Handler}, Unless: standing, Needs: []Need{NeedsEvidence}, Clears: ExtensionAsked | SuspensionAsked,
		Clocks: []ClockOp{{DisposalClock, Stop}, {CheckClock, Start}}, Standard: disposing},
	{Action: Check, Name: "核查通过", From: []State{ToCheck}, Who: checkers, Unless: Checked | standing, Needs: []Need{NeedsEvidence, NeedsOtherPerson}, Sets: Checked, Standard: patrolling},
	{Action: Close, Name: "结案", From: []State{ToCheck}, To: Closed, Who: []Role{ShiftLeader}, Under: Checked, Unless: standing, Clears: Supervised,
		Clocks: []ClockOp{{EveryClock, Stop}}, Standard: operating},
	{Action: Rework, Name: "返工", From: []State{ToCheck}, To: InDisposal, Who: checkers, Unless: SelfHandled | standing, Needs: []Need{NeedsReason}, Clears: Checked,
		Clocks: []ClockOp{{CheckClock, Stop}, {DisposalClock, Continue}}, Standard: patrolling},
	{Action: SendBack, Name: "退回受理", From: []State{ToCheck}, To: Reported, Who: checkers, Under: SelfHandled, Unless: standing, Needs: []Need{NeedsReason, NeedsOtherPerson}, Clears: SelfHandled | Checked,
		Clocks: []ClockOp{{AcceptClock, Start}}, Standard: patrolling},

	{Action: AskExtension, Name: "申请延期", From: []State{InDisposal}, Who: []Role{Handler}, Unless: ExtensionAsked | ExtendedTwice | standing, Needs: []Need{NeedsReason, NeedsExtra}, Sets: ExtensionAsked, Standard: disposing},
	{Action: ExtendOnce, Name: "同意延期", From: []State{InDisposal}, Who: []Role{ShiftLeader}, Unless: Extended | standing, Needs: []Need{NeedsReason, NeedsExtra}, Sets: Extended, Clears: ExtensionAsked,
		Clocks: []ClockOp{{DisposalClock, Extend}}, Standard: operating},
	{Action: ExtendAgain, Name: "同意再次延期", From: []State{InDisposal}, Who: []Role{DeputyDirector}, Under: Extended, Unless: ExtendedTwice | standing, Needs: []Need{NeedsReason, NeedsExtra, NeedsWriting}, Sets: ExtendedTwice, Clears: ExtensionAsked,
		Clocks: []ClockOp{{DisposalClock, Extend}}, Standard: operating},
	{Action: RefuseExtension, Name: "不同意延期", From: []State{InDisposal}, Who: []Role{ShiftLeader, DeputyDirector}, Under: ExtensionAsked, Needs: []Need{NeedsReason}, Clears: ExtensionAsked, Standard: operating},

	{Action: AskSuspension, Name: "申请挂账", From: []State{InDisposal}, Who: []Role{Handler}, Unless: SuspensionAsked | standing, Needs: []Need{NeedsReason, NeedsReview}, Sets: SuspensionAsked, Standard: disposing},
	{Action: Suspend, Name: "同意挂账", From: []State{InDisposal}, Who: []Role{ShiftLeader}, Under: SuspensionAsked, Unless: standing, Needs: []Need{NeedsReview}, Sets: Suspended, Clears: SuspensionAsked,
		Clocks: []ClockOp{{DisposalClock, Pause}}, Standard: operating},
	{Action: RefuseSuspension, Name: "不同意挂账", From: []State{InDisposal}, Who: []Role{ShiftLeader}, Under: SuspensionAsked, Needs: []Need{NeedsReason}, Clears: SuspensionAsked, Standard: operating},
	{Action: ReviewSuspension, Name: "复核挂账", From: []State{InDisposal}, Who: []Role{ShiftLeader}, Under: Suspended, Needs: []Need{NeedsReason, NeedsReview}, Standard: operating},
	{Action: EndSuspension, Name: "解除挂账", From: []State{InDisposal}, Who: centre, Under: Suspended, Needs: []Need{NeedsReason}, Clears: Suspended,
		Clocks: []ClockOp{{DisposalClock, Resume}}, Standard: operating},

	{Action: Supervise, Name: "督办", From: open, Who: []Role{ShiftLeader, DeputyDirector, Inspector}, Unless: Supervised, Needs: []Need{NeedsReason, NeedsReplyBy}, Sets: Supervised,
		Clocks: []ClockOp{{ReplyClock, Start}}, Standard: inspecting},
	{Action: Answer, Name: "督办回复", From: open, Who: []Role{Handler, Dispatcher}, Under: Supervised, Needs: []Need{NeedsReason}, Clears: Supervised,
		Clocks: []ClockOp{{ReplyClock, Stop}}, Standard: disposing},

	{Action: AskCoordination, Name: "提请协调", From: open, Who: centre, Tier: StreetTier, Unless: InCoordination, Needs: []Need{NeedsReason, NeedsKind}, Sets: InCoordination,
		Clocks: []ClockOp{{ResponseClock, Pause}, {DisposalClock, Pause}, {CoordinationClock, Start}}, Standard: operating},
	{Action: Rule, Name: "协调裁定", From: withLead, Who: []Role{ShiftLeader, DeputyDirector}, Tier: DistrictTier, Under: InCoordination, Needs: []Need{NeedsReason}, Clears: InCoordination,
		Clocks: []ClockOp{{CoordinationClock, Stop}, {ResponseClock, Resume}, {DisposalClock, Resume}}, Standard: operating},
	{Action: Rule, Name: "协调裁定", From: beforeIt, Who: []Role{ShiftLeader, DeputyDirector}, Tier: DistrictTier, Under: InCoordination, Needs: []Need{NeedsReason}, Clears: InCoordination,
		Clocks: []ClockOp{{CoordinationClock, Stop}}, Standard: operating},
	{Action: Reassign, Name: "裁定改派", From: withLead, To: Filed, Who: []Role{ShiftLeader, DeputyDirector}, Tier: DistrictTier, Under: InCoordination, Needs: []Need{NeedsReason, NeedsLead}, Clears: InCoordination | Suspended | SuspensionAsked | ExtensionAsked | Extended | ExtendedTwice,
		Clocks: []ClockOp{{CoordinationClock, Stop}, {ResponseClock, Cancel}, {DisposalClock, Cancel}, {DispatchClock, Start}}, Standard: operating},
	{Action: Escalate, Name: "上报区中心", From: open, Who: centre, Tier: StreetTier, Unless: Escalated, Needs: []Need{NeedsReason}, Sets: Escalated, Standard: operating},

	{Action: Watch, Name: "列入动态管控", From: watchable, Who: []Role{ShiftLeader, Inspector}, Unless: Watched, Needs: []Need{NeedsReason, NeedsReview}, Sets: Watched, Standard: inspecting},
	{Action: ReviewWatch, Name: "复核动态管控", From: watchable, Who: []Role{ShiftLeader, Inspector}, Under: Watched, Needs: []Need{NeedsReason, NeedsReview}, Standard: inspecting},
	{Action: Unwatch, Name: "移出动态管控", From: watchable, Who: []Role{ShiftLeader}, Under: Watched, Needs: []Need{NeedsReason}, Clears: Watched, Standard: inspecting},

	{Action: JoinDuty, Name: "组织联合勤务", From: []State{Filed, Dispatched, InDisposal}, Who: []Role{Dispatcher}, Unless: standing, Needs: []Need{NeedsJoint}, Standard: operating},
	{Action: Contribute, Name: "联勤反馈", From: []State{Dispatched, InDisposal}, Who: []Role{Handler}, Party: true, Needs: []Need{NeedsReason}, Standard: disposing},

	{Action: Reopen, Name: "重新立案", From: []State{Closed}, To: Filed, Who: []Role{Inspector, Hotline}, Unless: SelfHandled, Needs: []Need{NeedsReason}, Sets: Reopened, Clears: Checked | Extended | ExtendedTwice,
		Clocks: []ClockOp{{DispatchClock, Start}}, Standard: inspecting},
	{Action: Reopen, Name: "重新受理", From: []State{Closed}, To: Reported, Who: []Role{Inspector, Hotline}, Under: SelfHandled, Needs: []Need{NeedsReason}, Sets: Reopened, Clears: Checked | SelfHandled,
		Clocks: []ClockOp{{AcceptClock, Start}}, Standard: inspecting},
	{Action: Discard, Name: "作废", From: []State{Reported, ToVerify, Accepted, Filed}, To: Void, Who: []Role{ShiftLeader}, Unless: standing, Needs: []Need{NeedsReason}, Clears: Supervised,
		Clocks: []ClockOp{{EveryClock, Stop}}, Standard: operating},
	{Action: FinishOrder, Name: "12345 办结", From: reported, Who: []Role{Clerk}, Unless: OrderFinished, Needs: []Need{NeedsOrder, NeedsReason}, Sets: OrderFinished, Standard: operating},
	{Action: AddNote, Name: "备注", From: watchable, Who: anyone, Party: true, Needs: []Need{NeedsReason}, Standard: operating},
	{Action: AddReport, Name: "市民补充", From: open, Who: []Role{Citizen}, Needs: []Need{NeedsReason}, Standard: contents},
}

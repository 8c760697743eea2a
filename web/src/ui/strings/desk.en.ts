import type { deskZh } from './desk.zh'

export const deskEn: typeof deskZh = {
  desk: {
    title: 'Desk',
    sections: 'Sections of the desk',
    nav: { cases: 'Cases', figures: 'Figures', inspection: 'Inspection', settings: 'Settings' },
    denied: 'Your role cannot use this section',
    loading: 'Loading…',

    states: {
      reported: 'Reported', 'to-verify': 'To verify', accepted: 'Accepted', 'not-accepted': 'Not accepted', filed: 'To dispatch', 'not-filed': 'Not filed',
      dispatched: 'To take', returned: 'Return asked', 'in-disposal': 'In disposal', 'to-check': 'To check', closed: 'Closed', void: 'Void',
    },
    cases: { none: 'No cases' },
  },
}

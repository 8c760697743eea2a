/** The Chinese of the desk; part of the catalogue in `zh.ts`. */
export const deskZh = {
  desk: {
    title: '工作台',
    sections: '工作台栏目',
    nav: { cases: '案件', figures: '指标', inspection: '督查', settings: '设置' },
    denied: '您的角色不能使用这一栏',
    loading: '正在载入…',

    states: {
      reported: '待受理', 'to-verify': '待核实', accepted: '已受理', 'not-accepted': '不受理', filed: '待派遣', 'not-filed': '不立案',
      dispatched: '待接收', returned: '申请退单', 'in-disposal': '处置中', 'to-check': '待核查', closed: '已结案', void: '已作废',
    },
    cases: { none: '没有案件' },
  },
}

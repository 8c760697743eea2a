import { adminZh } from './admin.zh'
import { deskZh } from './desk.zh'
import { figuresZh } from './figures.zh'
import { heatZh } from './heat.zh'
import { inspectionZh } from './inspection.zh'
import { patrolZh } from './patrol.zh'
import { reportZh } from './report.zh'
import { settingsZh } from './settings.zh'
import { wallZh } from './wall.zh'

/** The words of the front end in Chinese, the first language; `en.ts` follows its shape. */
export const zh = {
  ...adminZh,
  ...deskZh,
  ...figuresZh,
  ...heatZh,
  ...inspectionZh,
  ...patrolZh,
  ...reportZh,
  ...settingsZh,
  ...wallZh,
  lang: 'zh-CN',
  brand: '联勤',
  title: '责任网格',
  mapTitle: '责任网格地图。方向键移动，加减键缩放，回车解析地图中心',
  otherLanguage: 'English',
  toDark: '切换为深色',
  toLight: '切换为浅色',
  zoomIn: '放大',
  zoomOut: '缩小',
  home: '显示全区',
  close: '关闭',
  retry: '重试',
  loading: '正在载入网格…',
  counts: (streets: number, grids: number) => `${streets} 个街镇 · ${grids} 个网格`,

  kind: { urban: '城区网格', autonomous: '自治网格', unknown: '未分类网格' },
  legendUrban: '城区（点纹）',
  legendAutonomous: '自治',

  search: {
    label: '查找网格、街镇或坐标',
    placeholder: '网格名称、编号或坐标',
    clear: '清除',
    results: '查找结果',
    none: (query: string) => `没有名称或编号含“${query}”的网格或街镇`,
    more: (shown: number, all: number) => `共 ${all} 项，列出前 ${shown} 项`,
    count: (n: number) => `${n} 项结果`,
    datum: '坐标系',
    locate: '定位',
    outOfRange: '坐标超出范围：经度应在 ±180 以内，纬度应在 ±90 以内，分和秒应小于 60',
  },
  datum: { wgs84: 'WGS-84', gcj02: 'GCJ-02', bd09: 'BD-09' },
  datumHint: {
    wgs84: '卫星定位设备；CGCS2000 同此',
    gcj02: '高德、腾讯地图',
    bd09: '百度地图',
  },

  streets: { heading: '街镇', grids: '网格', urban: '城区', autonomous: '自治', area: '面积', gridList: '网格列表' },

  card: {
    point: '位置解析',
    resolving: '正在解析…',
    code: '网格编号',
    streetCode: '街镇编号',
    street: '街镇',
    department: '责任单位',
    border: '距最近边界',
    area: '面积',
    coordinates: '坐标',
    generation: '网格版本',
    generationValue: (n: number, hash: string) => (hash ? `第 ${n} 版 · ${hash}` : `第 ${n} 版`),
    outside: '不在辖区内',
    outsideText: '此处不属于任何责任网格。',
    nearest: '最近网格',
    nearestDistance: '相距',
    showGrid: '查看该网格',
    noDepartment: '未登记',
    copy: '复制',
    copied: '已复制',
    copyFailed: '复制失败',
    copyLink: '复制链接',
    copyAll: '复制全部',
    copyWhat: (what: string) => `复制${what}`,
    missingGrid: (code: string) => `没有编号为 ${code} 的网格，可能已经调整`,
    missingStreet: (code: string) => `没有编号为 ${code} 的街镇`,
  },

  fault: {
    unreachable: '连不上服务器',
    unreachableText: '请检查网络。恢复后会自动重试。',
    invalid: '请求有误',
    missing: '没有找到',
    busy: '请求过于频繁，请稍候再试',
    notReady: '服务正在启动或暂不可用',
    server: '服务器出错',
    unreadable: '服务器的回答无法识别，页面版本可能过旧，请刷新',
    parameter: (name: string) => `参数 ${name}`,
    tiles: '部分地图未能载入',
  },
}

export type Strings = typeof zh

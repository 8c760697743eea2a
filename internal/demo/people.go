package demo

import "strings"

// Surnames repeat as they do among people of the region: the first ones are
// the most common.
var surnames = splitRunes("王王王王张张张张陈陈陈李李李刘刘徐徐徐周周周朱朱朱吴吴吴陆陆陆沈沈沈顾顾顾杨杨赵赵黄黄胡胡孙孙高高金金钱钱" +
	"施施严封印赵葛侯侯瞿浦汪潘何郭马林许唐姚曹庄戴蒋范俞龚秦翁钟夏宋董邵汤倪盛薛丁任袁邹严蔡章诸管费宣庞卫殷柏樊")

var givenFirst = splitRunes("建建志志国国晓晓文文伟永春海小金玉美丽红秀雅雪佳思嘉子宇俊天明立振家宏学庆长德宗雨梦静慧淑丹婷凤桂卫民正新培松荣祥彩云")

var givenLast = splitRunes("明华平军强芳英敏杰伟刚峰勇龙斌辉涛浩磊波良林娟娜琴萍燕丽霞红玲梅兰洁莉珍莲怡雯琳欣悦妍辰轩睿宁安康成生祥福根兴源清东南飞鹏")

func splitRunes(s string) []string { return strings.Split(s, "") }

// person is a made-up name of two or three characters.
func person(d *dice) string {
	name := pick(d, surnames)
	if d.below(100) < 78 {
		name += pick(d, givenFirst)
	}
	return name + pick(d, givenLast)
}

func pick[T any](d *dice, from []T) T { return from[d.below(len(from))] }

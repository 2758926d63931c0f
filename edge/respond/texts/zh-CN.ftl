# 安居对人说的话。每条消息有两种写法：带姓名和房间的，与不带的（-discreet）。

test-mark = 【测试】

home = { $person }家
home-unnamed = 安居 { $box }
sentence = { $home }：{ $what }

thing-unknown = 家里的设备
thing-anywhere = { $name }
thing-in-room = { $room }的{ $name }

room-bedroom = 卧室
room-living-room = 客厅
room-kitchen = 厨房
room-bathroom = 卫生间
room-hall = 门厅
room-study = 书房
room-balcony = 阳台

class-alarm = 告警
class-warning = 预警
class-request = 求助
class-fault = 故障

rule-help = { $thing }被按下
rule-help-heard = { $thing }听到有人呼救
rule-call = 有人按了{ $thing }，想和您通话，请给家里回个电话
rule-fall = { $thing }感应到有人跌倒
rule-smoke = { $thing }发现烟雾
rule-gas = { $thing }发现燃气泄漏
rule-carbon-monoxide = { $thing }发现一氧化碳
rule-leak = { $thing }发现漏水
rule-inactivity = { $since ->
    [none] 很久没有活动了
   *[other] 从{ $since }起没有活动
}
rule-not-up = 到现在还没有起床的迹象
rule-left-home = { $since ->
    [none] 出门很久还没有回来
   *[other] { $since }出门后还没有回来
}
rule-wandering = { $thing }离开了家，本人可能走失
rule-device-silent = { $thing }没有信号了
rule-unguarded = { $lost ->
    [calls] 家里已没有能求助的设备在工作
    [sight] 家里已没有能感知老人的设备在工作
   *[other] 家里已没有能求助或感知老人的设备在工作
}
rule-device-low = { $thing }电量低
rule-tamper = { $thing }被拆动
rule-trouble = { $lost ->
    [page] 主机的网页打不开
   *[other] { $thing }出了故障
}
rule-journal = 主机不能保存记录
rule-configuration = 主机的配置有错误
rule-channel = 主机有一条联系方式不通
rule-door-at-night = { $thing }在夜里打开了
rule-bathroom-stay = { $since ->
    [none] 在卫生间很久没有出来
   *[other] 从{ $since }起一直在卫生间
}
rule-out-of-bed = { $since ->
    [none] 夜里离床很久没有回来
   *[other] { $since }离床后还没有回来
}
rule-vital = { $thing }连续测得异常数值
rule-heat = { $thing }：室温过高
rule-cold = { $thing }：室温过低
rule-medication = 没有按时服药
rule-water-running = { $thing }：用水时间过长
rule-lock-forced = { $thing }被强行打开
rule-lock-tries = { $thing }被多次输错密码
rule-strangers = 有人反复按门铃，没有开门
rule-person-at-night = { $thing }在夜里看到有人
rule-test-due = { $thing }一个月没有测试了，请按一次
rule-mains-lost = 家里停电了，主机在用电池工作
rule-box-battery = 主机的电池需要检查
rule-network-lost = 主机的网络断了
rule-centre-lost = 主机联系不上服务中心
rule-sim-contract = 主机流量卡的合同到 { $until } 为止，请续费
rule-case-opened = 主机的外壳被打开
rule-box-temperature = 主机温度过高或过低
rule-storage-wear = 主机的存储卡快要坏了
rule-other = { $thing }需要查看

call-title = { $class }：{ $home }
call-body = { $what }。请尽快回应。
call-title-discreet = 安居{ $class }
call-body-discreet = 有一条{ $class }，请尽快回应。

call-back-title = 请回电：{ $home }
call-back-body = { $what }，之后本人取消了。请给家里回个电话。
call-back-title-discreet = 安居：请回电
call-back-body-discreet = 有一条{ $class }已被本人取消，请给家里回个电话。

again-title = 又一次{ $class }：{ $home }
again-body = { $what }。已有人回应，但又收到求助，请再确认。
again-title-discreet = 安居：又一次{ $class }
again-body-discreet = 已有人回应，但又收到求助，请再确认。

cancelled-title = 本人取消：{ $home }
cancelled-body = { $what }，之后本人取消了。仍请给家里回个电话。
cancelled-title-discreet = 安居：本人取消
cancelled-body-discreet = { $class }已被本人取消，仍请给家里回个电话。

accepted-title = 有人回应：{ $home }
accepted-body = { $minutes ->
    [none] { $what }。{ $who }已经回应。
   *[other] { $what }。{ $who }已经回应，约{ $minutes }分钟到。
}
accepted-title-discreet = 安居：有人回应
accepted-body-discreet = 已有人回应，正在处理。

taken-title = 已收到您的应答：{ $home }
taken-body = { $minutes ->
    [none] { $what }。您的应答已收到，家里已知道您会来。
   *[other] { $what }。您的应答已收到，家里已知道您大约{ $minutes }分钟后到。
}
taken-title-discreet = 安居：已收到您的应答
taken-body-discreet = 您的应答已收到，家里已知道您会来。

lapsed-title = 还没有到：{ $home }
lapsed-body = { $what }。您回应后还没有到，正在继续找人。
lapsed-title-discreet = 安居：还没有到
lapsed-body-discreet = 您回应后还没有到，正在继续找人。

over-title = 情况有变：{ $home }
over-body = { $what }，现在信号已恢复正常。仍需有人查看。
over-title-discreet = 安居：情况有变
over-body-discreet = 信号已恢复正常，仍需有人查看。

closed-title = 已结束：{ $home }
closed-body = { $what }。已经处理完毕。
closed-title-discreet = 安居：已结束
closed-body-discreet = { $class }已经处理完毕。

late-title = 事情已经结束：{ $home }
late-body = { $what }。感谢您的回应。这件事已经处理完毕，您不用再赶过来。
late-title-discreet = 安居：事情已经结束
late-body-discreet = 感谢您的回应。这件事已经处理完毕，您不用再赶过来。

plan-what = 如果{ $on } { $at }：{ $what }（{ $class }）
plan-at-once = 立刻
plan-after = { $seconds }秒后
plan-away = （约{ $minutes }分钟路程）
plan-nobody = 不会联系任何人
channel-call = 电话
channel-sms = 短信
channel-ntfy = 推送（ntfy）
channel-wecom = 企业微信
channel-dingtalk = 钉钉
channel-mail = 邮件
channel-centre = 服务中心
way-failing = 现在不通：{ $why }
way-proved = 上次送达：{ $age }
way-unproved = 还从来没有送达过
way-answered = 上次应答：{ $age }
way-checked = 上次检查：{ $age }
age-minutes = { $n }分钟前
age-hours = { $n }小时前
age-days = { $n }天前

trial-title = 安居：请应答一次
trial-body = 这是每月一次的联系测试，不是告警，没有出事。请点“收到”，或者回复1。
trial-title-discreet = 安居：请应答一次
trial-body-discreet = 这是每月一次的联系测试，不是告警，没有出事。请点“收到”，或者回复1。

trial-notice-title = 安居：联系测试
trial-notice-body = 这是每月一次的联系测试，不是告警，没有出事，也不用回复。
trial-notice-title-discreet = 安居：联系测试
trial-notice-body-discreet = 这是每月一次的联系测试，不是告警，没有出事，也不用回复。

thanks-title = 安居：测试成功
thanks-body = 收到您的应答了，谢谢。真的有事时，会用同样的办法找您。
thanks-title-discreet = 安居：测试成功
thanks-body-discreet = 收到您的应答了，谢谢。真的有事时，会用同样的办法找您。

button-received = 收到
button-accept = 我来了
button-arrived = 已到

sms-hint = 回复1接受，回复2表示已到。
sms-hint-taken = 到了请回复2。

acceptance-fixed-alarm = 请现在按下按钮。
acceptance-portable-alarm = 请现在按下按钮。
acceptance-voice-alarm = 请现在说出求助的话。
acceptance-one-touch-speaker = 请现在按下通话键。
acceptance-motion = 请现在从探测器前走过。
acceptance-water-meter = 请现在打开水龙头一分钟。
acceptance-water-use = 请现在打开水龙头一分钟。
acceptance-electricity-meter = 请等待读数；如果没有，请打开一盏灯。
acceptance-fall-detector = 请现在走进监测仪所在的房间。
acceptance-locator = 请现在带定位器出门再回来，或者唤醒它。
acceptance-smart-badge = 请现在把胸牌拿到主机旁边。
acceptance-smart-cane = 请现在按下拐杖上的按钮。
acceptance-smart-wheelchair = 请现在坐上轮椅。
acceptance-set-top-box = 请现在打开电视。
acceptance-door-contact = 请现在打开门，再关上。
acceptance-door-lock = 请现在开锁，再锁上。
acceptance-doorbell = 请现在按门铃。
acceptance-camera = 请现在从摄像头前走过。
acceptance-light = 请看：灯会闪烁两秒。
acceptance-siren = 请听：报警器会响两秒钟。
acceptance-sleep-monitor = 请在监护仪前躺下，不要动。
acceptance-mattress = 请现在躺到床上，再起来。
acceptance-bed-strap = 请现在躺到床上，再起来。
acceptance-smart-watch = 请戴上手表，等待心率。
acceptance-smart-band = 请戴上手环，等待心率。
acceptance-blood-pressure = 请现在量一次血压。
acceptance-oximeter = 请现在把手指放进血氧仪。
acceptance-body-scale = 请现在站到秤上。
acceptance-pill-box = 请现在打开药箱。
acceptance-smoke = 请按住测试按钮五秒钟。
acceptance-gas = 请按住测试按钮五秒钟。
acceptance-water-leak = 请现在用湿手指碰一下两个触点。
acceptance-climate = 请等待读数；如果没有，请对着传感器哈一口气。
acceptance-air-quality = 请等待读数；如果没有，请对着传感器哈一口气。

recording-there = { $slot }：{ $name }，已录音
recording-missing = { $slot }：{ $name }，未录音
recording-kept = { $slot } 已录好（{ $seconds } 秒）。
recording-removed = { $slot } 的录音已删除。
recording-none = { $slot } 没有录音。
recording-in-use = 从现在起使用。
recording-later = 守护程序没有运行，下次启动后使用。
recording-unknown = 这个家里没有 { $slot }。可以录音的名称：{ $known }
recording-not-sound = 无法读取这个声音文件，请存成 WAV（16 位）或 Ogg Vorbis。
recording-silent = 录音没有声音或太轻，请离话筒近一些。
recording-overdriven = 录音过响失真，请离话筒远一些。
recording-short = 录音太短，请说完整的称呼。
recording-long = 录音太长，请只说称呼，不超过六秒。

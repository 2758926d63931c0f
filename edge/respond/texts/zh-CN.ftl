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
rule-device-silent = { $thing }没有信号了
rule-unguarded = 家里已没有能求助或感知老人的设备在工作
rule-device-low = { $thing }电量低
rule-tamper = { $thing }被拆动
rule-trouble = { $thing }出了故障
rule-journal = 主机不能保存记录
rule-configuration = 主机的配置有错误
rule-channel = 主机有一条联系方式不通
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

button-accept = 我来了
button-arrived = 已到

# Who comes, after "somebody is coming".
coming = { $who }。
coming-in = { $who }，大约{ $minutes }分钟。

sms-hint = 回复1接受，回复2表示已到。

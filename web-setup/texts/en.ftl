# Words of the box's own page.

brand = Anju
skip = Skip to content
language = Language
list-separator = {" and "}
home-of = Home of { $names }
home-of-box = Anju { $box }
title = { $home } · Anju
title-alarm = ALARM · { $home }
connection-lost = The connection to the box is lost. What you see is not up to date.
read-only = This page only shows; nothing can be changed here.
box-line = Box { $box } · version { $version }
clock-unknown = clock not set
clock-estimated = about
test = TEST

hero-alarm = { $n ->
    [one] Somebody must go now
   *[other] { $n } alarms: somebody must go now
}
hero-unguarded = The box does not guard
hero-notice = Something needs a look
hero-calm = All is well
guarding-for = On guard for { $length }
not-guarding = Not on guard
not-recording = Not recording
devices-none = No devices yet
devices-all-online = { $n ->
    [one] the one device is online
   *[other] all { $n } devices online
}
devices-online = { $online } of { $n } devices online

ago-now = just now
ago-seconds = { $n } s ago
ago-minutes = { $n } min ago
ago-hours = { $n } h ago
ago-days = { $n } days ago
for-minutes = { $n ->
    [0] less than a minute
    [one] 1 minute
   *[other] { $n } minutes
}
for-hours = { $n ->
    [one] 1 hour
   *[other] { $n } hours
}
for-days = { $n } days

at-home = At home
occupancy-at-home = Somebody is at home
occupancy-visitor = There is a visitor
occupancy-out = Probably out
occupancy-away = Away, as announced
occupancy-unsure = Can not tell yet
away-until = until { $until }
since = since { $ago }
last-activity = Last sign of activity
last-activity-none = none yet

open-alerts = To be looked at ({ $n })
alert-count = { $n } times
class-alarm = Alarm
class-warning = Warning
class-request = Request
class-fault = Fault
stage-searching = Looking for help
stage-cancelled = Cancelled; looking for a call back
stage-accepted = Answered
stage-arrived = Help is there
helper-coming = { $name } has answered
helper-coming-in = { $name } has answered and comes in about { $minutes } min
helper-arrived = { $name } is there

rule-call = Asks to be called back
rule-help = Help was asked for
rule-fall = Somebody may have fallen
rule-smoke = Smoke was found
rule-gas = A gas leak was found
rule-carbon-monoxide = Carbon monoxide was found
rule-leak = Water was found
rule-inactivity = No movement for a long time
rule-not-up = No sign of getting up
rule-wandering = Left home and may lose the way
rule-left-home = Went out and is not back
rule-device-silent = A device is not heard
rule-device-low = A device’s battery is low
rule-tamper = A device was tampered with
rule-trouble = A device or the box has a fault
rule-journal = The box can not keep its records
rule-configuration = The configuration has faults
rule-channel = A way out does not work
rule-unguarded = Devices that guard the home are lost
rule-door-at-night = The door was opened at night
rule-bathroom-stay = In the bathroom for a long time
rule-out-of-bed = Out of bed at night and not back
rule-vital = Vital signs out of range
rule-heat = It is too hot at home
rule-cold = It is too cold at home
rule-medication = Medication was missed
rule-water-running = Water has been running for a long time
rule-lock-forced = The lock was forced
rule-lock-tries = Wrong tries at the lock
rule-strangers = Strangers at the door again and again
rule-person-at-night = Somebody was seen at night
rule-test-due = A help button is due for its test
rule-mains-lost = The power is out
rule-box-battery = The box’s battery is running low
rule-network-lost = The network is down
rule-centre-lost = The service centre is not reached
rule-sim-contract = The SIM card’s contract ends
rule-case-opened = The box’s case was opened
rule-box-temperature = The box is too hot
rule-storage-wear = The box’s storage is worn

rules = What is watched for
rules-active = On watch
rule-limited = in part
rule-off = not watched
because = {": "}
watch-help = Help
watch-fall = Falls
watch-smoke = Smoke
watch-gas = Gas
watch-carbon-monoxide = Carbon monoxide
watch-leak = Water leaks
watch-inactivity = No activity
watch-not-up = Not up in time
watch-left-home = Out and not back
watch-device-silent = Devices lost
watch-device-low = Batteries
watch-tamper = Tampering
watch-trouble = Device faults
watch-unguarded = Nothing on guard
watch-medication = Medication

devices = Devices
room-none = Elsewhere
room-bedroom = Bedroom
room-living-room = Living room
room-kitchen = Kitchen
room-bathroom = Bathroom
room-hall = Hall
room-study = Study
room-balcony = Balcony
online = Online
offline = Lost
never-heard = Not heard yet
never-heard-hint = Trigger it once
not-served = Not connected
not-served-hint = This version can not serve it
known-at-start = as known at start
last-said = Last: { $fact }, { $ago }
last-heard = Last heard
battery = battery { $n }%
battery-low = battery low
battery-low-at = battery low, { $n }%
weak-link = weak signal
unsupervised = cable not supervised
kit-missing = The base kit is not complete: { $kinds } missing. A wired button counts with a supervised cable.

fact-help-pressed = Help pressed
fact-help-cancelled = Cancelled
fact-moving = Movement
fact-still = No movement
fact-open = Open
fact-closed = Closed
fact-fall-suspected = Perhaps a fall
fact-fall-confirmed = Fall
fact-fall-over = Up again
fact-smoke = Smoke
fact-gas = Gas
fact-carbon-monoxide = Carbon monoxide
fact-no-alarm = Normal
fact-wet = Wet
fact-dry = Dry
fact-present = Somebody there
fact-absent = Nobody there
fact-bed-occupied = In bed
fact-bed-empty = Out of bed
fact-awake = awake
fact-light-sleep = light sleep
fact-deep-sleep = deep sleep
fact-rem-sleep = REM sleep
fact-not-worn = not worn
fact-apnoea = breathing stopped
fact-located = Located
fact-entered = Entered { $zone }
fact-left = Left { $zone }
fact-medication-opened = Opened
fact-medication-taken = Taken
fact-medication-missed = Missed
fact-locked = Locked
fact-unlocked = Unlocked
fact-forced = Forced
fact-rung = Rung
fact-bell-quiet = Quiet
fact-camera-person = A person
fact-camera-nothing = Nobody
fact-sounding = Sounding
fact-silent = Silent
fact-on = On
fact-off = Off
fact-call-asked = Call asked for
fact-call-answered = Answered
fact-call-cancelled = Cancelled
fact-tampered = Tampered with
fact-untouched = Untouched
fact-trouble = Fault
fact-no-trouble = Normal

ways = Ways to people
ways-none = None yet
way-proved = Last reached
way-unproved = never proved
way-failing = Does not work now
way-answered = Last answered
way-checked = Last checked

plan = If something happened
plan-hint = Who would be tried if nobody answered before, and when each way last worked.
plan-what = { $at }: { $what } ({ $class })
plan-at-once = At once
plan-after-seconds = After { $n } s
plan-after-minutes = After { $n } min
plan-away = about { $n } min away
plan-nobody = Nobody would be tried
plan-no-sure-way = No way to them is proved
plan-others = At another time, for another reason

channel-speaker = Speaker
channel-satellite = Speaker in another room
channel-light = Light
channel-siren = Siren
channel-call = Telephone
channel-sms = Text message
channel-ntfy = Push (ntfy)
channel-wecom = WeCom
channel-dingtalk = DingTalk
channel-mail = Mail
channel-centre = Service centre

the-box = The box
journal = Record
journal-recording = Recording
journal-not-recording = Not recording
journal-figures = { $entries } entries · { $mib } MiB
centre = Service centre
centre-none = not set up
connected = Connected
disconnected = Not connected
backlog-none = nothing waits
backlog = { $n } entries wait, { $alerts } of them alerts
link-gpio = Pins
link-serial = Serial bus
link-i2c = I²C
link-ble = Bluetooth
link-mqtt = MQTT
link-net = Network
uplinks = Internet
uplinks-unmanaged = The box does not choose among links
uplink-ethernet = Ethernet
uplink-wifi = Wi-Fi
uplink-mobile = 4G
uplink-untried = not tried yet
uplink-preferred = in use
configuration = Configuration
config-faults = { $n ->
    [one] one part can not be used
   *[other] { $n } parts can not be used
}

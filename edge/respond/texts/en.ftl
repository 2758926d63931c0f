# What the box says to people. Each message has two forms: with names and rooms, and without
# (-discreet).

test-mark = [TEST]{" "}

home = { $person }'s home
home-unnamed = Anju { $box }
sentence = { $home }: { $what }

thing-unknown = a device
thing-anywhere = the { $name }
thing-in-room = the { $name } in the { $room }

room-bedroom = bedroom
room-living-room = living room
room-kitchen = kitchen
room-bathroom = bathroom
room-hall = hall
room-study = study
room-balcony = balcony

class-alarm = Alarm
class-warning = Warning
class-request = Request
class-fault = Fault

rule-help = { $thing } was pressed
rule-help-heard = { $thing } heard a call for help
rule-call = somebody pressed { $thing } and would like to talk; please call the home back
rule-fall = { $thing } felt a fall
rule-smoke = { $thing } found smoke
rule-gas = { $thing } found a gas leak
rule-carbon-monoxide = { $thing } found carbon monoxide
rule-leak = { $thing } found water
rule-inactivity = { $since ->
    [none] no movement for a long time
   *[other] no movement since { $since }
}
rule-not-up = no sign of getting up yet
rule-left-home = { $since ->
    [none] went out a long time ago and is not back
   *[other] went out at { $since } and is not back
}
rule-wandering = { $thing } has left home; whoever carries it may lose the way
rule-device-silent = { $thing } is not heard any more
rule-unguarded = { $lost ->
    [calls] no device in the home that can call for help works any more
    [sight] no device in the home that sees a person works any more
   *[other] nothing in the home can call for help or see a person any more
}
rule-device-low = { $thing } has a low battery
rule-tamper = { $thing } was tampered with
rule-trouble = { $lost ->
    [page] the box's page can not be opened
   *[other] { $thing } has a fault
}
rule-journal = the box can not keep its records
rule-configuration = the box's configuration has faults
rule-channel = one of the box's ways out does not work
rule-door-at-night = { $thing } was opened at night
rule-bathroom-stay = { $since ->
    [none] in the bathroom for a long time
   *[other] in the bathroom since { $since }
}
rule-out-of-bed = { $since ->
    [none] out of bed at night and not back
   *[other] out of bed since { $since } and not back
}
rule-vital = { $thing } measured a value out of range, twice
rule-heat = { $thing }: the room is too hot
rule-cold = { $thing }: the room is too cold
rule-medication = medication was not taken in time
rule-water-running = { $thing }: water has been running for a long time
rule-lock-forced = { $thing } was opened by force
rule-lock-tries = { $thing } was tried with wrong codes
rule-strangers = somebody rings again and again and is not let in
rule-person-at-night = { $thing } sees a person at night
rule-test-due = { $thing } was not tested for a month; please press it once
rule-mains-lost = the home has no mains power; the box runs on its battery
rule-box-battery = the box's battery needs to be looked at
rule-network-lost = the box has no network
rule-centre-lost = the box does not reach the service centre
rule-sim-contract = the contract of the box's SIM card runs until { $until }; please renew it
rule-case-opened = the box's case was opened
rule-box-temperature = the box is too hot or too cold
rule-storage-wear = the box's storage is wearing out
rule-other = { $thing } needs to be looked at

call-title = { $class }: { $home }
call-body = { $what }. Please answer now.
call-title-discreet = Anju: { $class }
call-body-discreet = There is a new { $class }. Please answer now.

call-back-title = Please call back: { $home }
call-back-body = { $what }, and it was cancelled there. Please call the home.
call-back-title-discreet = Anju: please call back
call-back-body-discreet = { $class } cancelled at the home. Please call there.

again-title = { $class } again: { $home }
again-body = { $what }. Somebody had answered, but help was asked for again. Please make sure.
again-title-discreet = Anju: { $class } again
again-body-discreet = Somebody had answered, but help was asked for again. Please make sure.

cancelled-title = Cancelled there: { $home }
cancelled-body = { $what }, and it was cancelled there. Please still call the home.
cancelled-title-discreet = Anju: cancelled
cancelled-body-discreet = { $class } cancelled at the home. Please still call there.

accepted-title = Answered: { $home }
accepted-body = { $minutes ->
    [none] { $what }. { $who } has answered.
   *[other] { $what }. { $who } has answered and comes in about { $minutes } minutes.
}
accepted-title-discreet = Anju: answered
accepted-body-discreet = Somebody has answered and takes care of it.

taken-title = Thank you: { $home }
taken-body = { $minutes ->
    [none] { $what }. Your answer has arrived; the home has been told that you come.
   *[other] { $what }. Your answer has arrived; the home has been told that you come in about { $minutes } minutes.
}
taken-title-discreet = Anju: thank you
taken-body-discreet = Your answer has arrived; the home has been told that you come.

lapsed-title = Not there yet: { $home }
lapsed-body = { $what }. You answered, but are not there yet; the search for help goes on.
lapsed-title-discreet = Anju: not there yet
lapsed-body-discreet = You answered, but are not there yet; the search for help goes on.

over-title = News from { $home }
over-body = { $what }, and the signal is normal again. Somebody must still look.
over-title-discreet = Anju: news
over-body-discreet = The signal is normal again. Somebody must still look.

closed-title = Over: { $home }
closed-body = { $what }. It has been taken care of.
closed-title-discreet = Anju: over
closed-body-discreet = { $class } taken care of.

late-title = It is over already: { $home }
late-body = { $what }. Thank you for your answer. It has been taken care of already; you need not set out.
late-title-discreet = Anju: over already
late-body-discreet = Thank you for your answer. It has been taken care of already; you need not set out.

plan-what = On { $on } at { $at }: { $what } ({ $class })
plan-at-once = at once
plan-after = after { $seconds } s
plan-away = {" "}(about { $minutes } min away)
plan-nobody = nobody would be tried
channel-call = telephone
channel-sms = text message
channel-ntfy = push (ntfy)
channel-wecom = WeCom
channel-dingtalk = DingTalk
channel-mail = mail
channel-centre = service centre
way-failing = does not work now: { $why }
way-proved = last reached { $age }
way-unproved = never reached yet
way-answered = last answered { $age }
way-checked = last checked { $age }
age-minutes = { $n } min ago
age-hours = { $n } h ago
age-days = { $n } days ago

trial-title = Anju: please answer once
trial-body = This is the monthly test of how you are reached. It is no alarm, and nothing has happened. Please press “Received”, or reply 1.
trial-title-discreet = Anju: please answer once
trial-body-discreet = This is the monthly test of how you are reached. It is no alarm, and nothing has happened. Please press “Received”, or reply 1.

trial-notice-title = Anju: test message
trial-notice-body = This is the monthly test of how you are reached. It is no alarm, nothing has happened, and you need not answer.
trial-notice-title-discreet = Anju: test message
trial-notice-body-discreet = This is the monthly test of how you are reached. It is no alarm, nothing has happened, and you need not answer.

thanks-title = Anju: the test worked
thanks-body = Your answer has arrived, thank you. If something happens, you will be called in the same way.
thanks-title-discreet = Anju: the test worked
thanks-body-discreet = Your answer has arrived, thank you. If something happens, you will be called in the same way.

button-received = Received
button-accept = On my way
button-arrived = I am there

sms-hint = Reply 1 to accept, 2 when you are there.
sms-hint-taken = Reply 2 when you are there.

acceptance-fixed-alarm = Press the button now.
acceptance-portable-alarm = Press the button now.
acceptance-voice-alarm = Say the words that call for help now.
acceptance-one-touch-speaker = Press the call button now.
acceptance-motion = Walk past the detector now.
acceptance-water-meter = Open a tap for a minute now.
acceptance-water-use = Open a tap for a minute now.
acceptance-electricity-meter = Wait for a reading; switch a lamp on if none comes.
acceptance-fall-detector = Walk into the detector’s room now.
acceptance-locator = Carry the locator out and in, or wake it up, now.
acceptance-smart-badge = Bring the badge near the box now.
acceptance-smart-cane = Press the button of the cane now.
acceptance-smart-wheelchair = Sit down in the wheelchair now.
acceptance-set-top-box = Switch the television on now.
acceptance-door-contact = Open the door now, and close it again.
acceptance-door-lock = Unlock the door now, and lock it again.
acceptance-doorbell = Ring the bell now.
acceptance-camera = Walk past the camera now.
acceptance-light = Look: the light blinks for two seconds.
acceptance-siren = Listen: the siren sounds for two seconds.
acceptance-sleep-monitor = Lie down in front of the monitor, and lie still.
acceptance-mattress = Lie down on the bed now, and get up again.
acceptance-bed-strap = Lie down on the bed now, and get up again.
acceptance-smart-watch = Put the watch on, and wait for a heart rate.
acceptance-smart-band = Put the band on, and wait for a heart rate.
acceptance-blood-pressure = Take a blood pressure reading now.
acceptance-oximeter = Put a finger into the oximeter now.
acceptance-body-scale = Step on the scale now.
acceptance-pill-box = Open the pill box now.
acceptance-smoke = Press the test button for five seconds.
acceptance-gas = Press the test button for five seconds.
acceptance-water-leak = Touch both contacts with a wet finger now.
acceptance-climate = Wait for a reading; breathe on the sensor if none comes.
acceptance-air-quality = Wait for a reading; breathe on the sensor if none comes.

recording-there = { $slot }: { $name }, recorded
recording-missing = { $slot }: { $name }, not recorded
recording-kept = { $slot } is recorded ({ $seconds } s).
recording-removed = The recording of { $slot } is removed.
recording-none = { $slot } was not recorded.
recording-in-use = The box uses it from now on.
recording-later = No daemon runs here; it counts from the next start on.
recording-unknown = This home has no { $slot }. These names can be recorded: { $known }
recording-not-sound = This file is no sound that the box can read. Save it as WAV (16 bits) or Ogg Vorbis.
recording-silent = The recording is silent or too quiet. Speak closer to the microphone.
recording-overdriven = The recording is overdriven. Speak farther from the microphone.
recording-short = The recording is too short. Say the whole name.
recording-long = The recording is too long. Say the name only, within six seconds.

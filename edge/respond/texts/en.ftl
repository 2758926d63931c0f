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
rule-device-silent = { $thing } is not heard any more
rule-unguarded = nothing in the home can call for help or see a person any more
rule-device-low = { $thing } has a low battery
rule-tamper = { $thing } was tampered with
rule-trouble = { $thing } has a fault
rule-journal = the box can not keep its records
rule-configuration = the box's configuration has faults
rule-channel = one of the box's ways out does not work
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

button-accept = On my way
button-arrived = I am there

# Who comes, after "somebody is coming".
coming = { $who }.
coming-in = { $who }, in about { $minutes } minutes.

sms-hint = Reply 1 to accept, 2 when you are there.

//! `anju plan`: what would happen at a time of day, in the household's language. With a running
//! daemon it tells when each way last worked; without one, the plan of the configuration alone.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anju_model::Rule;
use anju_model::config::Household;
use anju_respond::texts::Texts;
use anju_web_setup::{Ago, Channel, Plan, Try};
use jiff::{Timestamp, civil};

use super::CliError;
use crate::control::{self, Ask, ToldPlan};
use crate::plan;

/// Reads a time of day.
pub fn time(text: &str) -> Result<civil::Time, String> {
    civil::Time::strptime("%H:%M", text).map_err(|_| "use HH:MM, such as 03:00".to_owned())
}

/// Reads the name of a rule.
pub fn rule(text: &str) -> Result<Rule, String> {
    Rule::known(text).ok_or_else(|| {
        let names: Vec<&str> = Rule::KNOWN.iter().map(Rule::as_str).collect();
        format!("use one of {}", names.join(", "))
    })
}

/// Tells the plan. Exit status 1 if nobody would be tried.
pub fn run(
    at: civil::Time,
    rule: Rule,
    config: &Path,
    data: &Path,
    json: bool,
) -> Result<ExitCode, CliError> {
    let mut told = None;
    let ask = Ask::Plan { at, rule: rule.clone() };
    let asked = control::ask(data, &ask, |line| {
        told = Some(serde_json::from_str::<ToldPlan>(line)?);
        Ok(())
    });
    let (ToldPlan { plan, language }, known) = match (asked, told) {
        (Some(Ok(())), Some(told)) => (told, true),
        (Some(Err(why)), _) => return Err(CliError::Plan(why)),
        _ => {
            eprintln!(
                "no daemon runs on {}: when each way last worked is not known",
                data.display()
            );
            let household = household(config)?;
            let plan = plan::of_configuration(&household, Timestamp::now(), at, &rule);
            (ToldPlan { plan, language: household.language }, false)
        }
    };
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&plan).map_err(std::io::Error::from)?)?;
    } else {
        print(&mut out, &plan, known, &Texts::new(language))?;
    }
    Ok(if plan.tries.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

pub(super) fn household(path: &Path) -> Result<Household, CliError> {
    let bytes = std::fs::read(path)
        .map_err(|error| CliError::Plan(format!("{}: {error}", path.display())))?;
    let parsed = crate::house::parse(&bytes, &path.display().to_string());
    parsed.household.ok_or_else(|| {
        CliError::Plan("the configuration has no usable home; run `anju check`".into())
    })
}

fn print(out: &mut impl Write, plan: &Plan, known: bool, texts: &Texts) -> std::io::Result<()> {
    let thing = texts.get("thing-unknown");
    let class = texts.get(&format!("class-{}", plan.class));
    let slots = [
        ("thing", thing.as_str()),
        ("since", "none"),
        ("class", plan.class.as_str()),
        ("lost", "none"),
        ("until", "none"),
    ];
    let what = texts.format(&format!("rule-{}", plan.rule), &slots);
    let slots =
        [("on", plan.on.as_str()), ("at", &plan.at), ("what", &what), ("class", class.as_str())];
    writeln!(out, "{}", texts.format("plan-what", &slots))?;
    if plan.tries.is_empty() {
        return writeln!(out, "{}", texts.get("plan-nobody"));
    }
    for Try { after_seconds, name, minutes_away, ways, .. } in &plan.tries {
        let when = match after_seconds {
            0 => texts.get("plan-at-once"),
            seconds => texts.format("plan-after", &[("seconds", &seconds.to_string())]),
        };
        let away = minutes_away
            .map(|minutes| texts.format("plan-away", &[("minutes", &minutes.to_string())]));
        writeln!(out, "{when}  {name}{}", away.unwrap_or_default())?;
        for way in ways {
            let name = texts.get(&format!("channel-{}", way.name));
            let proofs = if known { proofs(way, texts) } else { String::new() };
            writeln!(out, "    {name}{proofs}")?;
        }
    }
    Ok(())
}

fn proofs(way: &Channel, texts: &Texts) -> String {
    let told = |key: &str, ago: Option<Ago>| {
        ago.map(|ago| texts.format(key, &[("age", &age(ago.seconds, texts))]))
    };
    let failing = way.failing.as_ref().map(|why| texts.format("way-failing", &[("why", why)]));
    let proved = told("way-proved", way.proved).unwrap_or_else(|| texts.get("way-unproved"));
    let all = [
        failing,
        Some(proved),
        told("way-answered", way.answered),
        told("way-checked", way.checked),
    ];
    all.into_iter().flatten().map(|line| format!("\n        {line}")).collect()
}

fn age(seconds: u64, texts: &Texts) -> String {
    let (key, n) = match seconds {
        0..3600 => ("age-minutes", seconds / 60),
        3600..172_800 => ("age-hours", seconds / 3600),
        _ => ("age-days", seconds / 86_400),
    };
    texts.format(key, &[("n", &n.to_string())])
}

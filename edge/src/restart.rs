//! What of a changed configuration works only after a restart: the box's name is in every number,
//! and the way upstream and the journal are opened once. It must be told, never passed over.

use anju_model::config::Household;

/// What is told, for each part that the daemon began with and that is another one now.
pub fn needed(began: &Household, now: &Household) -> Vec<String> {
    let parts = [
        ("[box] id", began.box_id != now.box_id),
        ("[upstream]", began.upstream != now.upstream),
        ("[journal]", began.journal != now.journal),
    ];
    let changed = parts.into_iter().filter(|(_, changed)| *changed);
    changed
        .map(|(part, _)| {
            format!("{part} was changed, and works after a restart only: restart the daemon")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opened_once_is_told_and_all_else_is_not() {
        let home = |id: &str, more: &str| {
            let text = format!(
                "schema = 1\n[box]\nid = \"{id}\"\n[[person]]\nid = \"wang\"\nname = \"王奶奶\"\n{more}"
            );
            anju_model::config::parse(&text, "a.toml").household.unwrap()
        };
        let upstream = |port: u16| format!("[upstream]\nurl = \"mqtt://127.0.0.1:{port}\"\n");
        let began = home("hz-1", &upstream(1883));
        assert!(needed(&began, &began).is_empty());
        let told = needed(&began, &home("hz-2", &upstream(1884)));
        assert!(matches!(&told[..], [id, up] if id.contains("id") && up.contains("[upstream]")));
        assert_eq!(needed(&began, &home("hz-1", "")).len(), 1);
        let quieter = format!("{}[guard.inactivity]\nwarn_after = \"3h\"\n", upstream(1883));
        assert!(needed(&began, &home("hz-1", &quieter)).is_empty());
    }
}

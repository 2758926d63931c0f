//! Reads what a connection needs from its files on a thread where a disk that hangs holds up
//! nothing else. At most one such reading goes on at a time, however often it is asked for.

use std::time::Duration;

use rumqttc::v5::MqttOptions;
use tokio::task::JoinHandle;

use crate::settings::{Settings, SettingsError};

/// How long files may take.
const WITHIN: Duration = Duration::from_secs(10);

/// The reading that goes on.
#[derive(Debug)]
pub struct Reading {
    task: Option<JoinHandle<Result<MqttOptions, SettingsError>>>,
    within: Duration,
}

impl Default for Reading {
    fn default() -> Self {
        Self { task: None, within: WITHIN }
    }
}

impl Reading {
    /// The options of the next connection. Cancelling it loses nothing.
    ///
    /// # Errors
    /// Text of what is wrong with which file, or that a file can not be read for now.
    pub async fn options(
        &mut self,
        settings: &Settings,
        in_flight: u16,
    ) -> Result<MqttOptions, String> {
        let task = self.task.get_or_insert_with(|| {
            let settings = settings.clone();
            tokio::task::spawn_blocking(move || settings.options(in_flight))
        });
        let Ok(read) = tokio::time::timeout(self.within, task).await else {
            return Err("a file named in [upstream] can not be read; check its disk".to_owned());
        };
        self.task = None;
        match read {
            Ok(options) => options.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use anju_model::BoxId;
    use anju_model::config::Upstream;

    use super::*;

    fn settings(password: &std::path::Path) -> Settings {
        let upstream = Upstream {
            host: "localhost".into(),
            port: 1883,
            tls: false,
            topic: "anju/1".into(),
            ca: None,
            client_cert: None,
            client_key: None,
            command_key: None,
            username: Some("box".into()),
            password_file: Some(password.into()),
            heartbeat: Duration::from_secs(60),
        };
        Settings {
            box_id: BoxId::new("hz-test").unwrap(),
            upstream,
            clock: crate::CertificateClock::new(jiff::Timestamp::now),
        }
    }

    /// A pipe that nobody writes to is a file that does not come.
    #[tokio::test]
    async fn a_file_that_does_not_come_holds_up_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        let settings = settings(&path);
        let mut reading = Reading { within: Duration::from_millis(20), ..Reading::default() };
        for _ in 0..3 {
            let error = reading.options(&settings, 1).await.unwrap_err();
            assert!(error.contains("can not be read"), "{error}");
        }
        // Somebody writes: the reading that went on all the time ends.
        drop(std::fs::File::options().write(true).open(&path).unwrap());
        reading.within = WITHIN;
        assert!(reading.options(&settings, 1).await.is_ok());
    }
    #[test]
    fn a_reply_goes_to_no_topic_of_the_box_but_its_replies() {
        let settings = settings(std::path::Path::new("/none"));
        for good in [
            "anju/1/hz-test/replies",
            "anju/1/hz-test/replies/7",
            "centre/7",
            "anju/1/hz-testing/x",
        ] {
            assert!(settings.may_reply_to(good), "{good}");
        }
        for bad in [
            "anju/1/hz-test/alerts",
            "anju/1/hz-test/events",
            "anju/1/hz-test/status",
            "anju/1/hz-test/commands",
            "anju/1/hz-test/repliesx",
            "anju/1/hz-test",
            "anju/1/hz-test/",
            "$SYS/x",
            "$share/g/x",
            "a/+/b",
            "a/#",
            "",
        ] {
            assert!(!settings.may_reply_to(bad), "{bad}");
        }
    }
}

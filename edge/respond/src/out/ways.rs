//! The ways to contacts that this box has: one post for each channel, made by the household's
//! configuration, and the table that hands a notice to those it names. A change of the
//! configuration changes how letters go; no letter that waits is lost by it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anju_model::config::{ChannelKind, Household};
use anju_model::delivery::DeliveryState;
use anju_model::{AlertId, Delivery};
use anju_modem::Bus;
use tokio::time::timeout;

use super::centre::{Answers, Centre};
use super::channel::{Channel, Health, Report, Reports, absent, delivery};
use super::dingtalk::Dingtalk;
use super::http::{NoClient, TlsClock};
use super::mail::Mail;
use super::ntfy::{Ntfy, NtfySettings};
use super::post::{CARRIED_WITHIN, Carrier, Post, Proved};
use super::sms::Sms;
use super::wecom::Wecom;
use crate::life::Notice;
use crate::life::proof::Proof;
use crate::texts::Texts;

/// What a channel is built to: its carrier, none if it is not configured, or why it can not be.
type Built = Result<Option<Arc<dyn Carrier>>, String>;

fn carrier(carrier: impl Carrier) -> Arc<dyn Carrier> {
    Arc::new(carrier)
}

fn built<C: Carrier>(built: Result<Option<C>, NoClient>) -> Built {
    built.map(|found| found.map(carrier)).map_err(|error| error.to_string())
}

/// The ways.
pub struct Ways {
    posts: BTreeMap<ChannelKind, Post>,
    carriers: BTreeMap<ChannelKind, Arc<dyn Carrier>>,
    ntfy: Option<Ntfy>,
    sms: Option<Sms>,
    centre: Answers,
    /// Channels that could not be set up.
    unfit: BTreeMap<ChannelKind, String>,
    data: PathBuf,
    reports: Reports,
    clock: TlsClock,
}

impl std::fmt::Debug for Ways {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.posts.keys()).finish()
    }
}

impl Ways {
    /// No way yet; what channels keep lies in the data folder, and certificates are judged by the
    /// clock.
    pub fn new(data: &Path, reports: &Reports, clock: TlsClock) -> Self {
        Self {
            posts: BTreeMap::new(),
            carriers: BTreeMap::new(),
            ntfy: None,
            sms: None,
            centre: Answers::default(),
            unfit: BTreeMap::new(),
            data: data.to_owned(),
            reports: reports.clone(),
            clock,
        }
    }

    /// Sets the channels up as the household has them; inside a tokio runtime. Returns at once.
    pub fn configure(&mut self, household: &Household, texts: &Arc<Texts>) {
        let ntfy = self.ntfy(household, texts);
        self.set(ChannelKind::Ntfy, ntfy);
        let sms = self.sms(household, texts);
        self.set(ChannelKind::Sms, Ok(sms));
        self.set(ChannelKind::Wecom, built(Wecom::of(household, &self.clock)));
        self.set(ChannelKind::Dingtalk, built(Dingtalk::of(household, &self.clock)));
        self.set(ChannelKind::Mail, Ok(Mail::of(household).map(carrier)));
        let centre = Centre::of(household, &self.centre, &self.reports);
        self.set(ChannelKind::Centre, Ok(centre.map(carrier)));
    }

    fn ntfy(&mut self, household: &Household, texts: &Arc<Texts>) -> Built {
        let Some(settings) = NtfySettings::of(household) else {
            self.ntfy.iter_mut().for_each(Ntfy::silence);
            return Ok(None);
        };
        let open = || Ntfy::open(self.data.join("ntfy.json"), &self.reports, self.clock.clone());
        let ntfy = self.ntfy.get_or_insert_with(open);
        ntfy.configure(settings, texts.clone()).map(Some).map_err(|error| error.to_string())
    }

    /// Once the modem is kept to, it is until the box stops: its trouble is not over because nobody
    /// wants it just now.
    fn sms(&mut self, household: &Household, texts: &Arc<Texts>) -> Option<Arc<dyn Carrier>> {
        let wanted = Sms::wanted(household);
        if wanted && self.sms.is_none() {
            self.sms = Some(Sms::start(Bus::System, &self.reports));
        }
        let carrier = self.sms.as_ref().map(|sms| sms.configure(household, texts));
        carrier.filter(|_| wanted)
    }

    fn set(&mut self, kind: ChannelKind, built: Built) {
        let broken = built.as_ref().err().cloned();
        if self.unfit.get(&kind) != broken.as_ref() {
            let part = format!("{}-setup", kind.as_str());
            // Nobody listens any more only while the box stops.
            let _ = self.reports.send(Report::Health(Health { part, broken: broken.clone() }));
        }
        match broken {
            Some(why) => drop(self.unfit.insert(kind, why)),
            None => drop(self.unfit.remove(&kind)),
        }
        let carrier = built.ok().flatten();
        match &carrier {
            Some(carrier) => drop(self.carriers.insert(kind, carrier.clone())),
            None => drop(self.carriers.remove(&kind)),
        }
        if carrier.is_none() && !self.posts.contains_key(&kind) {
            return;
        }
        let post = self.posts.entry(kind).or_insert_with(|| Post::start(kind, &self.reports));
        post.set_carrier(carrier);
    }

    /// The centre tells what became of a message that it was to pass on. Whether a post waited for
    /// it, which then reports it.
    pub fn told_by_centre(&self, delivery: &Delivery) -> bool {
        self.centre.told(delivery)
    }

    /// Somebody acted on an alert through the centre, so what was asked of it has arrived.
    pub fn acted_through_centre(&self, alert: &AlertId) {
        self.centre.acted(alert);
    }

    /// Hands a notice to every way it names. A way that this box does not have is reported as
    /// failed, so that nobody waits for it.
    pub fn notify(&self, notice: &Notice) {
        for kind in &notice.channels {
            match self.posts.get(kind) {
                Some(post) => post.send(notice),
                None => {
                    let state = DeliveryState::Failed;
                    let failed = delivery(notice, *kind, state, 1, Some(absent(*kind)));
                    let _ = self.reports.send(Report::Delivery(failed));
                }
            }
        }
    }

    /// Makes sure of a way without waking anybody; what came of it is reported. Returns at once.
    pub fn prove(&self, kind: ChannelKind) {
        let reports = self.reports.clone();
        let tell = move |proof| {
            // Nobody listens any more only while the box stops.
            let _ = reports.send(Report::Proof { kind, proof });
        };
        let Some(carrier) = self.carriers.get(&kind).cloned() else {
            return tell(match (kind, self.unfit.get(&kind)) {
                (_, Some(why)) => Proof::Failed(why.clone()),
                // They follow from a telephone number, which not every box is to call.
                (ChannelKind::Call | ChannelKind::Sms, None) => Proof::NotWithoutWaking,
                (_, None) => Proof::Failed(absent(kind)),
            });
        };
        tokio::spawn(async move {
            tell(match timeout(CARRIED_WITHIN, carrier.prove()).await {
                Ok(Ok(Proved::Yes)) => Proof::Proved,
                Ok(Ok(Proved::NotWithoutWaking)) => Proof::NotWithoutWaking,
                Ok(Err(refusal)) => Proof::Failed(refusal.why().to_owned()),
                Err(_) => {
                    let limit = CARRIED_WITHIN.as_secs();
                    Proof::Failed(format!("no answer within {limit} s"))
                }
            });
        });
    }

    /// Tells every way that an alert is over.
    pub fn withdraw(&self, alert: &AlertId) {
        self.posts.values().for_each(|post| post.withdraw(alert));
    }

    /// Ends all of them, at once with each other.
    pub async fn stop(self) {
        let posts = futures::future::join_all(self.posts.into_values().map(Post::stop));
        let ntfy = async {
            if let Some(ntfy) = self.ntfy {
                ntfy.stop().await;
            }
        };
        futures::join!(posts, ntfy);
    }
}

//! The task that keeps to NetworkManager: looks what stands, lets the links be tried, puts the one
//! before the others that the choice prefers, and begins anew whenever NetworkManager goes away.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anju_modem::{Bus, words};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, SelectAll};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zbus::fdo::{DBusProxy, NameOwnerChangedStream, ObjectManagerProxy};
use zbus::{Connection, MatchRule, MessageStream, message};

use crate::choice::{Choice, News, Reach};
use crate::manager::{self, OBJECTS, Picture, SERVICE};
use crate::reach::{Target, Way, prove};
use crate::view::{LinkView, View};

/// Pause before the bus, or NetworkManager on it, is looked for again.
const AGAIN: Duration = Duration::from_secs(15);

/// NetworkManager answers what it knows at once; one that does not hangs.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// What stands is looked at this often even if nothing is signalled.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Looks after which a modem that nobody connects is connected by request.
const WOKEN_AFTER: u32 = 15;

/// Signals come in swarms: one look is enough for those that come within this time.
const SWARM: Duration = Duration::from_millis(250);

/// Pause after NetworkManager refused something.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);

/// A refusal is told when it came this often in a row.
const BELIEVED_AFTER: u32 = 3;

/// The objects whose changes count. Access points tell their signal all day.
const WATCHED: [&str; 3] = [
    "org.freedesktop.NetworkManager",
    "org.freedesktop.NetworkManager.Device",
    "org.freedesktop.NetworkManager.Connection.Active",
];

/// What the household wants of its links.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The servers that say whether a link reaches anything. With none, no link is judged.
    pub targets: Vec<Target>,
    /// The access point of the mobile connection.
    pub apn: Option<String>,
    /// How fast time goes.
    pub pace: Pace,
}

/// How fast time goes for the choice of link: tests have no minutes to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Seconds of the choice in one of the world; 1 on a box.
    pub lapse: u32,
    /// How long a server may take to answer; a modem that slept needs some seconds.
    pub answers_within: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { lapse: 1, answers_within: Duration::from_secs(8) }
    }
}

/// What the box should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// News of links.
    News(News),
    /// Something that was wanted of NetworkManager can not be had, and why; or it can again.
    Trouble(Option<String>),
}

/// Starts the task inside a tokio runtime. What is said is sent to `said`.
pub fn start(
    bus: Bus,
    setup: watch::Receiver<Arc<Setup>>,
    said: mpsc::Sender<Said>,
    stop: CancellationToken,
) -> watch::Receiver<View> {
    let (view_tx, view) = watch::channel(View {
        unmanaged: Some("NetworkManager was not looked for yet".to_owned()),
        ..View::default()
    });
    let mut service = Service {
        bus,
        setup,
        said,
        view: view_tx,
        began: Instant::now(),
        choice: Choice::default(),
        trouble: None,
        rest: Rest::default(),
        refused: 0,
        idle_looks: 0,
        first: HashMap::new(),
    };
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = service.run() => {}
        }
    });
    view
}

/// A link that was tried, or whatever the kernel takes, and which target answered over it.
type Tried = (Option<String>, Result<usize, String>);

type Tries = FuturesUnordered<BoxFuture<'static, Tried>>;

/// What is known beside the links: a bridge, a tunnel or something that nobody tells of may still lead
/// out when no link reaches anything.
#[derive(Debug, Default, PartialEq, Eq)]
enum Rest {
    /// Some link reaches something, or that is not known yet.
    #[default]
    NotAsked,
    /// It is being tried for the first time; why no link reaches anything.
    Asked(String),
    /// Something answers all the same.
    Reaches(String),
    /// Nothing does; that was told.
    Lost(String),
}

struct Service {
    bus: Bus,
    setup: watch::Receiver<Arc<Setup>>,
    said: mpsc::Sender<Said>,
    view: watch::Sender<View>,
    began: Instant,
    choice: Choice,
    trouble: Option<(&'static str, String)>,
    rest: Rest,
    /// How often in a row a link could not be put before the others.
    refused: u32,
    /// Looks in a row at which the modem was not connected.
    idle_looks: u32,
    /// The target that last answered over each link.
    first: HashMap<String, usize>,
}

impl Service {
    async fn run(&mut self) {
        loop {
            let why = match self.connected().await {
                Ok(()) => "the bus closed the connection".to_owned(),
                Err(error) => words(&error),
            };
            self.unmanaged(format!("the system's D-Bus can not be used: {why}")).await;
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Now, on the line of time of the choice.
    fn now(&self) -> Duration {
        self.began.elapsed().saturating_mul(self.pace().lapse)
    }

    fn pace(&self) -> Pace {
        self.setup.borrow().pace
    }

    /// One connection to the bus.
    async fn connected(&mut self) -> zbus::Result<()> {
        let bus = self.bus.connect().await?;
        let names = DBusProxy::new(&bus).await?;
        let mut owners = names.receive_name_owner_changed_with_args(&[(0, SERVICE)]).await?;
        loop {
            let why = match self.with_manager(&bus, &mut owners).await {
                Ok(()) => "it stopped".to_owned(),
                Err(error) if is_missing(&error) => "it does not run".to_owned(),
                Err(error) => words(&error),
            };
            self.unmanaged(format!("NetworkManager: {why}")).await;
            tokio::select! {
                owner = owners.next() => if owner.is_none() { return Ok(()) },
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    /// Until NetworkManager goes away.
    async fn with_manager(
        &mut self,
        bus: &Connection,
        owners: &mut NameOwnerChangedStream,
    ) -> zbus::Result<()> {
        let mut changes = watch_changes(bus).await?;
        let objects = ObjectManagerProxy::new(bus, SERVICE, OBJECTS).await?;
        let mut picture = look(&objects).await?;
        self.choice = Choice::default();
        self.rest = Rest::default();
        self.began = Instant::now();
        self.ensure_profile(bus).await;
        let mut tries = Tries::new();
        let mut looks = tokio::time::interval(LOOK_EVERY / self.pace().lapse.max(1));
        let mut again = None;
        loop {
            self.begin_tries(&picture, &tries);
            self.show(&picture);
            let next = self.choice.next(self.now()).filter(|_| self.judges());
            let next = next.unwrap_or(Duration::from_secs(3600)) / self.pace().lapse.max(1);
            let next = self.began + next;
            let mut news = Vec::new();
            tokio::select! {
                biased;
                owner = owners.next() => match owner {
                    Some(owner) if owner.args().is_ok_and(|args| args.new_owner().is_none()) => return Ok(()),
                    Some(_) => {}
                    None => return Ok(()),
                },
                Some((name, came)) = tries.next(), if !tries.is_empty() => {
                    news = self.tried(name, came);
                }
                changed = self.setup.changed() => {
                    if changed.is_err() {
                        // The box stops.
                        std::future::pending::<()>().await;
                    }
                    self.ensure_profile(bus).await;
                    again = Some(Instant::now());
                }
                change = changes.next() => match change {
                    Some(_) => again = again.or_else(|| Some(Instant::now() + SWARM)),
                    None => return Ok(()),
                },
                _ = looks.tick() => {
                    if self.trouble.is_some() {
                        self.ensure_profile(bus).await;
                    }
                    self.wake_modem(bus, &picture).await;
                    if matches!(self.rest, Rest::Reaches(_) | Rest::Lost(_)) {
                        self.try_rest(&tries);
                    }
                    again = Some(Instant::now());
                }
                () = until(again), if again.is_some() => {
                    again = None;
                    picture = look(&objects).await?;
                    news = self.stand(&picture);
                    self.prefer(bus, &picture, &mut again).await;
                }
                () = tokio::time::sleep_until(next) => {
                    let now = self.now();
                    news = self.choice.pass(now);
                }
            }
            let news = self.beside(news, &tries);
            let moved = news.iter().any(|news| matches!(news, News::Preferred { .. }));
            self.tell(news).await;
            if moved {
                self.prefer(bus, &picture, &mut again).await;
            }
        }
    }

    /// Whether anybody can say if a link reaches anything.
    fn judges(&self) -> bool {
        !self.setup.borrow().targets.is_empty()
    }

    fn stand(&mut self, picture: &Picture) -> Vec<News> {
        if !self.judges() {
            self.choice = Choice::default();
            self.rest = Rest::default();
            return self.withdrawn();
        }
        let present: BTreeMap<_, _> =
            picture.links.iter().map(|link| (link.interface.clone(), link.kind)).collect();
        let now = self.now();
        self.choice.stand(now, &present)
    }

    /// Nobody may be left with "all links are lost" when nobody looks any more.
    fn withdrawn(&self) -> Vec<News> {
        let told_down = self.view.borrow().up == Some(false);
        let reason = Some("the links are not judged any more".to_owned());
        told_down.then_some(News::Uplinks { up: true, reason }).into_iter().collect()
    }

    fn begin_tries(&mut self, picture: &Picture, tries: &Tries) {
        if !self.judges() {
            return;
        }
        let setup = self.setup.borrow().clone();
        let now = self.now();
        for name in self.choice.due(now) {
            let link = picture.links.iter().find(|link| link.interface == name);
            let name_servers = link.map(|link| link.name_servers.clone()).unwrap_or_default();
            let first = self.first.get(&name).copied().unwrap_or(0);
            let setup = setup.clone();
            tries.push(Box::pin(async move {
                let way = Way { interface: Some(name), name_servers };
                let within = setup.pace.answers_within;
                let came = prove(&way, &setup.targets, first, within).await;
                (way.interface, came)
            }));
        }
    }

    fn tried(&mut self, name: Option<String>, came: Result<usize, String>) -> Vec<News> {
        let Some(name) = name else { return self.rest_tried(came.is_ok()) };
        let came = came.map(|number| {
            self.first.insert(name.clone(), number);
        });
        let now = self.now();
        self.choice.tried(now, &name, came)
    }

    /// Tries whatever the kernel takes.
    fn try_rest(&self, tries: &Tries) {
        let setup = self.setup.borrow().clone();
        tries.push(Box::pin(async move {
            let way = Way { interface: None, name_servers: Vec::new() };
            let within = setup.pace.answers_within;
            (None, prove(&way, &setup.targets, 0, within).await)
        }));
    }

    /// That all links are lost is held back until nothing else leads out either.
    fn beside(&mut self, news: Vec<News>, tries: &Tries) -> Vec<News> {
        let mut told = Vec::new();
        for news in news {
            match news {
                News::Uplinks { up: false, reason } if self.rest == Rest::NotAsked => {
                    self.rest = Rest::Asked(reason.unwrap_or_default());
                    self.try_rest(tries);
                }
                News::Uplinks { up: true, .. } => {
                    self.rest = match std::mem::take(&mut self.rest) {
                        // Came from its own try; no link is back yet.
                        Rest::Reaches(why) if self.choice.is_up() == Some(false) => {
                            Rest::Reaches(why)
                        }
                        _ => Rest::NotAsked,
                    };
                    told.push(news);
                }
                news => told.push(news),
            }
        }
        told
    }

    fn rest_tried(&mut self, reaches: bool) -> Vec<News> {
        if self.choice.is_up() != Some(false) {
            return Vec::new();
        }
        match (std::mem::take(&mut self.rest), reaches) {
            (Rest::Lost(why), true) => {
                let reason = Some("no link answers, and yet something leads out".to_owned());
                self.rest = Rest::Reaches(why);
                vec![News::Uplinks { up: true, reason }]
            }
            (Rest::Asked(why) | Rest::Reaches(why), false) => {
                self.rest = Rest::Lost(why.clone());
                vec![News::Uplinks { up: false, reason: Some(why) }]
            }
            (Rest::Asked(why), true) => {
                tracing::info!(why, "no link answers, and yet something leads out");
                self.rest = Rest::Reaches(why);
                Vec::new()
            }
            (rest, _) => {
                self.rest = rest;
                Vec::new()
            }
        }
    }

    /// Makes the kernel go by the preferred link.
    async fn prefer(&mut self, bus: &Connection, picture: &Picture, again: &mut Option<Instant>) {
        let Some(preferred) = self.choice.preferred().filter(|_| picture.links.len() > 1) else {
            return;
        };
        match in_time(manager::prefer(bus, picture, preferred)).await {
            Ok(changed) => {
                self.refused = 0;
                if changed {
                    *again = Some(Instant::now() + SWARM);
                }
                self.trouble("route", None).await;
            }
            // The link may be gone at this very moment: then the next look shows that.
            Err(error) => {
                *again = again.or_else(|| Some(Instant::now() + REFUSED_PAUSE));
                self.refused = self.refused.saturating_add(1);
                if self.refused >= BELIEVED_AFTER {
                    self.trouble("route", Some(words(&error))).await;
                }
            }
        }
    }

    async fn ensure_profile(&mut self, bus: &Connection) {
        let setup = self.setup.borrow_and_update().clone();
        let trouble = match in_time(manager::ensure(bus, setup.apn.as_deref())).await {
            Ok(()) => None,
            Err(error) => Some(words(&error)),
        };
        self.trouble("profile", trouble).await;
    }

    /// NetworkManager gives a mobile connection up for good after some failures, such as an access
    /// point that the network did not know for a moment.
    async fn wake_modem(&mut self, bus: &Connection, picture: &Picture) {
        let idle = picture.modem.as_ref().filter(|modem| modem.idle);
        let Some(modem) = idle.filter(|_| self.setup.borrow().apn.is_some()) else {
            self.idle_looks = 0;
            return;
        };
        self.idle_looks += 1;
        if self.idle_looks.is_multiple_of(WOKEN_AFTER)
            && let Err(error) = in_time(manager::bring_up(bus, &modem.device)).await
        {
            tracing::info!(error = words(&error), "the mobile connection can not be asked for");
        }
    }

    /// What was wanted of NetworkManager can not be had, or it can again.
    async fn trouble(&mut self, what: &'static str, why: Option<String>) {
        let now = match &why {
            Some(why) => {
                let wanted = match what {
                    "profile" => "the profile of the mobile connection can not be kept",
                    _ => "a link can not be put before the others",
                };
                Some(format!("{wanted}: {why}; see that 50-anju.rules of polkit is installed"))
            }
            // What is in order says nothing of the other.
            None if self.trouble.as_ref().is_some_and(|(known, _)| *known != what) => return,
            None => None,
        };
        let known = self.trouble.as_ref().map(|(_, words)| words.clone());
        if known == now {
            return;
        }
        self.trouble = now.clone().map(|words| (what, words));
        match &now {
            Some(words) => tracing::warn!(words, "NetworkManager"),
            None => tracing::info!("NetworkManager does what it is asked again"),
        }
        // The box may be stopping.
        let _ = self.said.send(Said::Trouble(now)).await;
    }

    async fn tell(&self, news: Vec<News>) {
        for news in news {
            tracing::info!(?news, "links");
            // The box may be stopping.
            let _ = self.said.send(Said::News(news)).await;
        }
    }

    async fn unmanaged(&mut self, why: String) {
        let withdrawn = self.withdrawn();
        self.tell(withdrawn).await;
        self.choice = Choice::default();
        self.rest = Rest::default();
        self.trouble("route", None).await;
        self.trouble("profile", None).await;
        let view = View { unmanaged: Some(why), ..View::default() };
        if self.view.borrow().unmanaged != view.unmanaged {
            tracing::info!(why = view.unmanaged, "links are not managed");
        }
        self.view.send_replace(view);
    }

    fn show(&self, picture: &Picture) {
        let known: HashMap<&str, &Reach> =
            self.choice.known().map(|(name, _, reach)| (name, reach)).collect();
        let links = picture.links.iter();
        // A port of somebody else that leads nowhere is no link.
        let links = links.filter(|link| {
            let reaches = known.get(link.interface.as_str()) == Some(&&Reach::Reaches);
            link.profile.is_some() || reaches
        });
        let links = links.map(|link| {
            let reach = known.get(link.interface.as_str());
            LinkView {
                interface: link.interface.clone(),
                kind: link.kind,
                reaches: reach.and_then(|reach| match reach {
                    Reach::Unknown => None,
                    Reach::Reaches => Some(true),
                    Reach::Fails(_) => Some(false),
                }),
                reason: reach.and_then(|reach| match reach {
                    Reach::Fails(why) => Some(why.clone()),
                    Reach::Unknown | Reach::Reaches => None,
                }),
                preferred: self.choice.preferred() == Some(link.interface.as_str()),
            }
        });
        let view = View {
            unmanaged: None,
            links: links.collect(),
            up: match self.rest {
                Rest::Reaches(_) => Some(true),
                // It is not known yet.
                Rest::Asked(_) => self.view.borrow().up,
                Rest::NotAsked | Rest::Lost(_) => self.choice.is_up(),
            },
            trouble: self.trouble.as_ref().map(|(_, words)| words.clone()),
        };
        self.view.send_if_modified(|known| {
            let changed = *known != view;
            *known = view;
            changed
        });
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
}

/// The changes of what counts.
async fn watch_changes(bus: &Connection) -> zbus::Result<SelectAll<MessageStream>> {
    let mut changes = SelectAll::new();
    for interface in WATCHED {
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(SERVICE)
            .interface("org.freedesktop.DBus.Properties")
            .arg(0, interface)
            .build()?;
        changes.push(MessageStream::for_match_rule(rule, bus, None).await?);
    }
    Ok(changes)
}

async fn look(objects: &ObjectManagerProxy<'_>) -> zbus::Result<Picture> {
    let objects = async { objects.get_managed_objects().await.map_err(zbus::Error::from) };
    in_time(objects).await.map(manager::read)
}

/// What NetworkManager says, or that it hangs.
async fn in_time<T>(asked: impl Future<Output = zbus::Result<T>>) -> zbus::Result<T> {
    match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(zbus::fdo::Error::TimedOut("NetworkManager hangs".to_owned()).into()),
    }
}

/// Nobody has its name.
pub fn is_missing(error: &zbus::Error) -> bool {
    match error {
        zbus::Error::MethodError(name, ..) => name.ends_with(".ServiceUnknown"),
        zbus::Error::FDO(fdo) => matches!(**fdo, zbus::fdo::Error::ServiceUnknown(_)),
        _ => false,
    }
}

//! The task that keeps to one modem: finds it, enables it, tells how it is, sends and hands on texts,
//! and begins anew whenever ModemManager or the modem goes away.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream::{BoxStream, FuturesUnordered, SelectAll};
use futures::{FutureExt, StreamExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use zbus::fdo::{DBusProxy, ObjectManagerProxy};

use zbus::proxy::CacheProperties;
use zbus::{Connection, MatchRule, MessageStream, OwnedObjectPath, message};

use crate::messages::{self, Incoming, Received, Sent, SmsError};
use crate::proxy::{CardProxy, MODEM, MessagingProxy, ModemProxy, NetworkProxy, ROOT, SERVICE};
use crate::view::{Registration, Sim, Trouble, View, technology};

/// Pause before the bus, or a modem on it, is looked for again.
const AGAIN: Duration = Duration::from_secs(5);

/// A modem that hangs must not hold up a look at it.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// ModemManager answers what it knows at once; one that does not hangs itself.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);

/// The state is looked at this often even if nothing is signalled.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// Texts that may wait for the modem.
const MOST_WAITING: usize = 64;

/// Texts remembered.
const MOST_KNOWN: usize = 256;

/// Which bus.
#[derive(Debug, Clone)]
pub enum Bus {
    /// The system's.
    System,
    /// At an address of D-Bus.
    At(String),
}

impl Bus {
    /// Connects to it.
    ///
    /// # Errors
    /// As D-Bus gives them.
    pub async fn connect(&self) -> zbus::Result<Connection> {
        match self {
            Self::System => Connection::system().await,
            Self::At(address) => zbus::connection::Builder::address(address.as_str()).build().await,
        }
    }
}

enum Order {
    Send { number: String, text: String, done: oneshot::Sender<Result<Sent, SmsError>> },
    Redial(oneshot::Sender<bool>),
    Reset(oneshot::Sender<bool>),
}

/// The modem. Cheap to clone; the task ends with the last clone or when stopped.
#[derive(Debug, Clone)]
pub struct Modem {
    orders: mpsc::Sender<Order>,
    view: watch::Receiver<View>,
}

impl Modem {
    /// Starts the task inside a tokio runtime. Texts that come are sent to `received`.
    pub fn start(bus: Bus, received: mpsc::Sender<Incoming>, stop: CancellationToken) -> Self {
        let (orders, order_rx) = mpsc::channel(MOST_WAITING);
        let (view_tx, view) = watch::channel(View {
            trouble: Some(Trouble::NoService("not tried yet".into())),
            ..View::default()
        });
        tokio::spawn(async move {
            let mut service =
                Service { bus, orders: order_rx, view: view_tx, received, known: VecDeque::new() };
            tokio::select! {
                () = stop.cancelled() => {}
                () = service.run() => {}
            }
        });
        Self { orders, view }
    }

    /// Sends a text and waits until the network has it from the modem.
    ///
    /// # Errors
    /// [`SmsError`] says why it did not leave.
    pub async fn send(&self, number: &str, text: &str) -> Result<Sent, SmsError> {
        let trouble = self.view.borrow().trouble.clone();
        // One that looks for its network may find it while it sends.
        if let Some(trouble) = trouble.filter(|t| !matches!(t, Trouble::NotRegistered(_))) {
            return Err(SmsError::NotReady(trouble));
        }
        let (done, answer) = oneshot::channel();
        let order = Order::Send { number: number.to_owned(), text: text.to_owned(), done };
        self.orders.try_send(order).map_err(|_| SmsError::Lost)?;
        answer.await.unwrap_or(Err(SmsError::Lost))
    }

    /// Disables and enables the modem, so that it looks for the network anew.
    pub async fn redial(&self) -> bool {
        self.order(Order::Redial).await
    }

    /// Lets the modem reset itself.
    pub async fn reset(&self) -> bool {
        self.order(Order::Reset).await
    }

    async fn order(&self, make: fn(oneshot::Sender<bool>) -> Order) -> bool {
        let (done, answer) = oneshot::channel();
        self.orders.try_send(make(done)).is_ok() && answer.await.unwrap_or(false)
    }

    /// How it is, and whenever that changes.
    pub fn view(&self) -> watch::Receiver<View> {
        self.view.clone()
    }
}

struct Service {
    bus: Bus,
    orders: mpsc::Receiver<Order>,
    view: watch::Sender<View>,
    received: mpsc::Sender<Incoming>,
    /// Texts handed on, the oldest first: a modem may tell of one again after a restart.
    known: VecDeque<Received>,
}

impl Service {
    async fn run(&mut self) {
        loop {
            let ended = self.connected().await;
            let reason = match ended {
                Ok(()) => "the bus closed the connection".to_owned(),
                Err(error) => messages::words(&error),
            };
            self.trouble(Trouble::NoService(reason));
            self.refuse_for(AGAIN).await;
        }
    }

    fn trouble(&self, trouble: Trouble) {
        let view = View { trouble: Some(trouble), ..View::default() };
        self.view.send_if_modified(|known| {
            let changed = *known != view;
            if changed {
                tracing::info!(trouble = %in_words(&view), "the modem");
            }
            known.clone_from(&view);
            changed
        });
    }

    /// Waits, and refuses what is asked meanwhile.
    async fn refuse_for(&mut self, pause: Duration) {
        let refuse = async {
            while let Some(order) = self.orders.recv().await {
                refused(order);
            }
            std::future::pending::<()>().await;
        };
        let _ = tokio::time::timeout(pause, refuse).await;
    }

    /// One connection to the bus: one modem after the other.
    async fn connected(&mut self) -> zbus::Result<()> {
        let bus = self.bus.connect().await?;
        let mut owners = DBusProxy::new(&bus).await?.receive_name_owner_changed().await?;
        let objects = ObjectManagerProxy::new(&bus, SERVICE, ROOT).await?;
        let mut added = objects.receive_interfaces_added().await?;
        loop {
            // The modem may have come between the look and the signal: the signals are subscribed
            // already, so nothing is missed.
            let known = match in_time(objects.get_managed_objects()).await {
                Ok(known) => known,
                Err(error) => {
                    self.trouble(trouble_of(error));
                    tokio::select! {
                        owner = owners.next() => if owner.is_none() { return Ok(()) },
                        () = self.refuse_for(AGAIN) => {}
                    }
                    continue;
                }
            };
            let is_modem = |interfaces: &std::collections::HashMap<_, _>| {
                interfaces.keys().any(|name: &zbus::names::OwnedInterfaceName| *name == MODEM)
            };
            let found = known.into_iter().find(|(_, has)| is_modem(has)).map(|(path, _)| path);
            match found {
                Some(path) => {
                    if let Err(error) = self.with_modem(&bus, &objects, &path).await {
                        self.trouble(trouble_of(error));
                    }
                    self.refuse_for(Duration::from_millis(200)).await;
                }
                None => {
                    self.trouble(Trouble::NoModem);
                    tokio::select! {
                        _ = added.next() => {}
                        owner = owners.next() => if owner.is_none() { return Ok(()) },
                        () = self.refuse_for(AGAIN) => {}
                    }
                }
            }
            if bus.unique_name().is_none() {
                return Ok(());
            }
        }
    }

    /// Until the modem is gone.
    async fn with_modem(
        &mut self,
        bus: &Connection,
        objects: &ObjectManagerProxy<'_>,
        path: &OwnedObjectPath,
    ) -> zbus::Result<()> {
        // What is kept may be older than the signal that tells of a change.
        let modem = ModemProxy::builder(bus)
            .path(path.clone())
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        let network = NetworkProxy::builder(bus)
            .path(path.clone())
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        let messaging = MessagingProxy::new(bus, path.clone()).await?;
        let mut removed = objects.receive_interfaces_removed().await?;
        let mut owners = DBusProxy::new(bus).await?.receive_name_owner_changed().await?;
        let mut texts = messaging.receive_added().await?;
        let changed = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(SERVICE)
            .path(path.clone())
            .interface("org.freedesktop.DBus.Properties")
            .build()?;
        let mut changes = MessageStream::for_match_rule(changed, bus, None).await?;
        let mut busy = FuturesUnordered::new();
        let mut reading = SelectAll::new();
        let mut listed = false;
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                biased;
                gone = removed.next() => match gone {
                    Some(gone) if gone.args().is_ok_and(|a| a.object_path().as_str() == path.as_str()) => return Ok(()),
                    Some(_) => {}
                    None => return Ok(()),
                },
                owner = owners.next() => match owner {
                    Some(owner) if owner.args().is_ok_and(|a| a.name() == SERVICE) => return Ok(()),
                    Some(_) => {}
                    None => return Ok(()),
                },
                Some(order) = self.orders.recv() => busy.push(obey(bus, path, &modem, order).boxed()),
                Some(()) = busy.next(), if !busy.is_empty() => {}
                Some((text, fresh, read)) = reading.next(), if !reading.is_empty() => match read {
                    Ok(Some(received)) => {
                        if let Some(done) = self.hand_on(received, fresh) {
                            busy.push(messages::remove(bus.clone(), path.clone(), text, done).boxed());
                        }
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::info!(error = messages::words(&error), "a text can not be read");
                    }
                },
                Some(text) = texts.next() => if let Ok(args) = text.args()
                    && *args.received()
                {
                    reading.push(read(bus, args.path().clone(), true));
                },
                _ = changes.next() => in_time(self.look(bus, &modem, &network)).await?,
                _ = look.tick() => {
                    in_time(self.look(bus, &modem, &network)).await?;
                    enable(&modem).await?;
                    if !listed {
                        // Texts that came while nobody listened.
                        match messaging.list().await {
                            Ok(waiting) => {
                                listed = true;
                                let waiting = waiting.into_iter();
                                reading.extend(waiting.map(|text| read(bus, text, false)));
                            }
                            Err(error) => {
                                let error = messages::words(&error);
                                tracing::info!(error, "the modem's texts can not be listed");
                            }
                        }
                    }
                }
            }
        }
    }

    /// Hands a text on, once; gives what tells that it is done with.
    fn hand_on(&mut self, text: Received, fresh: bool) -> Option<oneshot::Receiver<()>> {
        // Without a time, two texts of the same words can not be told apart.
        if text.at.is_some() && self.known.contains(&text) {
            return None;
        }
        if self.known.len() >= MOST_KNOWN {
            self.known.pop_front();
        }
        self.known.push_back(text.clone());
        let (incoming, done) = Incoming::new(text, fresh);
        if self.received.try_send(incoming).is_err() {
            tracing::warn!("a text came, and nobody reads texts; it stays in the modem's store");
        }
        Some(done)
    }

    async fn look(
        &self,
        bus: &Connection,
        modem: &ModemProxy<'_>,
        network: &NetworkProxy<'_>,
    ) -> zbus::Result<()> {
        let state = modem.state().await?;
        let registration = network
            .registration_state()
            .await
            .map_or(Registration::Unknown, Registration::from_number);
        let trouble = match (state, sim(modem.unlock_required().await.unwrap_or(0))) {
            (FAILED, _) => Some(failed(modem.state_failed_reason().await.unwrap_or(0))),
            (_, Some(sim)) => Some(Trouble::Sim(sim)),
            _ if state >= REGISTERED || registration.is_registered() => None,
            _ => Some(Trouble::NotRegistered(registration)),
        };
        let model = match (modem.manufacturer().await, modem.model().await) {
            (Ok(maker), Ok(model)) => Some(format!("{maker} {model}").trim().to_owned()),
            _ => None,
        };
        let view = View {
            trouble,
            model: model.filter(|model| !model.is_empty()),
            sim: card(bus, modem).await.ok().filter(|number| !number.is_empty()),
            signal_percent: modem.signal_quality().await.ok().map(|(percent, _)| percent),
            operator: network.operator_name().await.ok().filter(|name| !name.is_empty()),
            technology: modem.access_technologies().await.ok().and_then(technology),
            registration,
            data: state == CONNECTED,
        };
        self.view.send_if_modified(|known| {
            if known.trouble != view.trouble {
                tracing::info!(trouble = %in_words(&view), "the modem");
            }
            let changed = *known != view;
            known.clone_from(&view);
            changed
        });
        Ok(())
    }
}

/// `MMModemState`.
const FAILED: i32 = -1;
const DISABLED: i32 = 3;
const REGISTERED: i32 = 8;
const CONNECTED: i32 = 11;

/// What ModemManager knows, or that it hangs.
async fn in_time<T, E: Into<zbus::Error>>(
    asked: impl Future<Output = Result<T, E>>,
) -> zbus::Result<T> {
    match tokio::time::timeout(KNOWN_WITHIN, asked).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(zbus::fdo::Error::TimedOut("ModemManager hangs".to_owned()).into()),
    }
}

/// ModemManager is not there, or it is and does not do what it should.
fn trouble_of(error: zbus::Error) -> Trouble {
    match &error {
        zbus::Error::MethodError(name, ..) if name.ends_with(".ServiceUnknown") => {
            Trouble::NoService("it does not run".to_owned())
        }
        zbus::Error::FDO(fdo) if matches!(**fdo, zbus::fdo::Error::ServiceUnknown(_)) => {
            Trouble::NoService("it does not run".to_owned())
        }
        error => Trouble::Failed(messages::words(error)),
    }
}

fn in_words(view: &View) -> String {
    view.trouble.as_ref().map_or_else(|| "works".to_owned(), Trouble::to_string)
}

/// `MMModemLock`: none, unknown and SIM-PIN2 or PUK2 do not hinder.
fn sim(lock: u32) -> Option<Sim> {
    match lock {
        0 | 1 | 3 | 5 => None,
        2 => Some(Sim::WantsPin),
        4 => Some(Sim::WantsPuk),
        _ => Some(Sim::Locked),
    }
}

/// `MMModemStateFailedReason`.
fn failed(reason: u32) -> Trouble {
    match reason {
        2 => Trouble::Sim(Sim::Missing),
        3 => Trouble::Sim(Sim::Broken),
        4 => Trouble::Failed("its abilities are not known to ModemManager".into()),
        _ => Trouble::Failed("ModemManager gives no reason".into()),
    }
}

async fn enable(modem: &ModemProxy<'_>) -> zbus::Result<()> {
    if modem.state().await? != DISABLED {
        return Ok(());
    }
    match tokio::time::timeout(ANSWER_WITHIN, modem.enable(true)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::info!(error = messages::words(&error), "the modem can not be enabled");
            Ok(())
        }
        // It is looked at again.
        Err(_) => Ok(()),
    }
}

/// The number of the SIM card.
async fn card(bus: &Connection, modem: &ModemProxy<'_>) -> zbus::Result<String> {
    CardProxy::new(bus, modem.sim().await?).await?.sim_identifier().await
}

/// A text, whether it came just now, and what was read of it.
type Read = (OwnedObjectPath, bool, zbus::Result<Option<Received>>);

fn read(bus: &Connection, text: OwnedObjectPath, fresh: bool) -> BoxStream<'static, Read> {
    let bus = bus.clone();
    let reading = async move {
        let read = messages::read(&bus, &text).await;
        (text, fresh, read)
    };
    reading.into_stream().boxed()
}

async fn obey(bus: &Connection, path: &OwnedObjectPath, modem: &ModemProxy<'_>, order: Order) {
    // Who asked may be gone.
    match order {
        Order::Send { number, text, done } => {
            let _ = done.send(messages::send(bus, path, &number, &text).await);
        }
        Order::Redial(done) => {
            let again =
                async { modem.enable(false).await.is_ok() && modem.enable(true).await.is_ok() };
            let _ = done.send(tokio::time::timeout(ANSWER_WITHIN, again).await.unwrap_or(false));
        }
        Order::Reset(done) => {
            let reset = tokio::time::timeout(ANSWER_WITHIN, modem.reset()).await;
            let _ = done.send(matches!(reset, Ok(Ok(()))));
        }
    }
}

fn refused(order: Order) {
    match order {
        Order::Send { done, .. } => drop(done.send(Err(SmsError::Lost))),
        Order::Redial(done) | Order::Reset(done) => drop(done.send(false)),
    }
}

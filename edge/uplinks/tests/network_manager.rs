//! Against the real NetworkManager in a network of its own: which link what leaves really goes by.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod lab;
#[path = "../../modem/tests/lab/mod.rs"]
mod modem_lab;

use std::sync::Arc;
use std::time::Duration;

use anju_modem::Bus;
use anju_uplinks::{Kind, LinkView, News, Pace, Said, Setup, Target, View};
use lab::{FAR, Network, default_route, inside, profile_path};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(60);

/// How often what tells of no change by itself is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);

fn setup(host: &str, apn: Option<&str>) -> Arc<Setup> {
    let target = Target { host: host.to_owned(), port: 8883, tls: None };
    Arc::new(Setup {
        targets: vec![target],
        apn: apn.map(str::to_owned),
        pace: Pace { lapse: 30, answers_within: Duration::from_secs(2) },
    })
}

struct Box_ {
    setup: watch::Sender<Arc<Setup>>,
    view: watch::Receiver<View>,
    said: mpsc::Receiver<Said>,
    _stop: tokio_util::sync::DropGuard,
}

impl Box_ {
    fn start(bus: &str, wanted: Arc<Setup>) -> Self {
        let (setup, setup_rx) = watch::channel(wanted);
        let (said_tx, said) = mpsc::channel(256);
        let stop = CancellationToken::new();
        let view = anju_uplinks::start(Bus::At(bus.to_owned()), setup_rx, said_tx, stop.clone());
        Self { setup, view, said, _stop: stop.drop_guard() }
    }

    async fn until(&mut self, what: &str, fits: impl Fn(&View) -> bool) -> View {
        let view = async { self.view.wait_for(|view| fits(view)).await.unwrap().clone() };
        let waited = tokio::time::timeout(DEADLINE, view).await;
        waited.unwrap_or_else(|_| panic!("{what}: {:?}\n{}", *self.view.borrow(), Network::log()))
    }

    /// Until something was said.
    async fn says(&mut self, what: &str, fits: impl Fn(&Said) -> bool) {
        let said = async {
            loop {
                let said = self.said.recv().await.expect("it runs");
                println!("{said:?}");
                if fits(&said) {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(DEADLINE, said).await;
        waited.unwrap_or_else(|_| panic!("{what}: {:?}", *self.view.borrow()));
    }

    /// Until the kernel takes that interface: NetworkManager was asked just now.
    async fn goes_by(&mut self, interface: &str) {
        self.until(&format!("{interface} is preferred"), |view| preferred(view) == Some(interface))
            .await;
        // The kernel tells of no change of a route; it is asked again while NetworkManager works.
        let taken = async {
            let mut asks = tokio::time::interval(ASK_EVERY);
            while default_route() != interface {
                asks.tick().await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, taken).await;
        let routes = lab::run("ip -4 route");
        waited.unwrap_or_else(|_| panic!("{interface}: {routes}\n{}", Network::log()));
    }
}

fn preferred(view: &View) -> Option<&str> {
    let mut links = view.links.iter();
    links.find(|link| link.preferred).map(|link| link.interface.as_str())
}

fn uplinks(wanted: bool) -> impl Fn(&Said) -> bool {
    move |said| matches!(said, Said::News(News::Uplinks { up, .. }) if *up == wanted)
}

fn link<'v>(view: &'v View, interface: &str) -> Option<&'v LinkView> {
    view.links.iter().find(|link| link.interface == interface)
}

/// A connection like any other of the box leaves now, and from which address.
async fn connects() -> Option<String> {
    let connect = TcpStream::connect((FAR, 8883));
    let stream = tokio::time::timeout(Duration::from_secs(2), connect).await.ok()?.ok()?;
    Some(stream.local_addr().unwrap().ip().to_string())
}

#[test]
fn what_leaves_goes_by_the_link_that_reaches_and_comes_back() {
    inside("what_leaves_goes_by_the_link_that_reaches_and_comes_back", async {
        let bus = modem_lab::Lab::new();
        let mut network = Network::new(&bus.address);
        // By its name, which each link's own name server tells.
        let mut box_ = Box_::start(&bus.address, setup("reach.test", None));
        let view = box_.until("nobody manages", |view| view.unmanaged.is_some()).await;
        assert!(view.links.is_empty());
        network.start();
        let both = |view: &View| {
            let good = |name| link(view, name).is_some_and(|l| l.reaches == Some(true));
            good("eth1") && good("eth2")
        };
        let view = box_.until("both cables are good", both).await;
        assert!(view.links.iter().all(|link| link.kind == Kind::Ethernet), "{view:?}");
        assert_eq!(view.up, Some(true));
        box_.goes_by("eth1").await;
        assert_eq!(connects().await.as_deref(), Some("10.1.0.2"));

        // The router of the first cable goes dead; its carrier stays.
        network.router(1, false);
        box_.goes_by("eth2").await;
        assert_eq!(lab::run("cat /sys/class/net/eth1/carrier"), "1\n");
        assert_eq!(connects().await.as_deref(), Some("10.2.0.2"));
        let view = box_.view.borrow().clone();
        assert_eq!(view.up, Some(true));
        assert!(link(&view, "eth1").unwrap().reason.is_some(), "{view:?}");
        // What a person set up is as it was.
        let profile = std::fs::read_to_string(profile_path("cable-2")).unwrap();
        assert!(!profile.contains("metric"), "{profile}");

        // And works again: gone back to once it has proved stable.
        network.router(1, true);
        box_.until("the first is good again", both).await;
        assert_eq!(preferred(&box_.view.borrow()), Some("eth2"), "not at once");
        box_.goes_by("eth1").await;
        assert_eq!(connects().await.as_deref(), Some("10.1.0.2"));
        let metric = lab::run("ip -4 route show default dev eth2");
        assert!(!metric.contains("metric 20 "), "it has its own metric again: {metric}");

        // Both dead, and yet something else leads out: nobody is called offline.
        network.detour(true);
        network.router(1, false);
        network.router(2, false);
        let neither = |view: &View| view.links.iter().all(|link| link.reaches == Some(false));
        let view = box_.until("neither is good", neither).await;
        assert_eq!(view.up, Some(true), "{view:?}");
        while let Ok(said) = box_.said.try_recv() {
            assert!(!uplinks(false)(&said), "{said:?}");
        }
        // Without that too it is told, and that it is over.
        network.detour(false);
        box_.says("all are lost", uplinks(false)).await;
        network.router(2, true);
        box_.says("one is back", uplinks(true)).await;
        box_.goes_by("eth2").await;

        // NetworkManager dies: the kernel goes on with what it has, and the box says so.
        network.kill();
        let view = box_.until("nobody manages", |view| view.unmanaged.is_some()).await;
        assert!(view.unmanaged.unwrap().contains("NetworkManager"));
        assert_eq!(connects().await.as_deref(), Some("10.2.0.2"));
        network.start();
        box_.goes_by("eth2").await;
    });
}

#[test]
fn the_mobile_connection_has_the_profile_that_the_configuration_wants() {
    inside("the_mobile_connection_has_the_profile_that_the_configuration_wants", async {
        let mut bus = modem_lab::Lab::new();
        let mut network = Network::new(&bus.address);
        network.start();
        bus.start_manager();
        bus.plug_in().await;
        let mut box_ = Box_::start(&bus.address, setup(FAR, Some("cmnet")));
        box_.until("the links are managed", |view| view.unmanaged.is_none()).await;
        let path = profile_path("anju-mobile");
        let written = async |fits: &dyn Fn(&str) -> bool| {
            let wait = async {
                let mut asks = tokio::time::interval(ASK_EVERY);
                while !fits(&std::fs::read_to_string(&path).unwrap_or_default()) {
                    asks.tick().await;
                }
            };
            let waited = tokio::time::timeout(DEADLINE, wait).await;
            let now = std::fs::read_to_string(&path);
            waited.unwrap_or_else(|_| panic!("{now:?}\n{}", Network::log()));
        };
        written(&|profile| profile.contains("apn=cmnet\n") && profile.contains("type=gsm")).await;
        // NetworkManager brings the connection up by itself. The simulated modem has no line for data,
        // so that it gets as far as ModemManager's trying to connect, and does not try again at once.
        let failed = async {
            let mut asks = tokio::time::interval(ASK_EVERY);
            while !Network::log().contains("state change: failed -> disconnected") {
                asks.tick().await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, failed).await;
        waited.unwrap_or_else(|_| panic!("the connection is tried\n{}", Network::log()));
        let targets = &setup(FAR, None).targets;
        let seen = anju_uplinks::examine(&Bus::At(bus.address.clone()), targets).await.unwrap();
        assert!(seen.modem, "{seen:?}");
        let log = Network::log();
        let tries = log.matches("Activation: starting connection 'anju-mobile'").count();
        assert_eq!(tries, 1, "{log}");
        box_.setup.send_replace(setup(FAR, Some("iot.example")));
        written(&|profile| profile.contains("apn=iot.example\n")).await;
        box_.setup.send_replace(setup(FAR, None));
        written(&|profile| profile.is_empty()).await;
    });
}

//! An audience: who watches what, where, on which device, and how they behave. Seeded: the same seed is the same
//! audience.
//!
//! The shares are made up, but of the kind that real sites see: a few videos have most of the plays, one impression in
//! three is never played, some viewers give up while they wait, and fewer watch each further minute.

use fastrand::Rng;
use quartile_protocol::batch::{Player, Video};
use quartile_protocol::clock::{Media, Millis, Wall};
use quartile_protocol::id::SiteId;
use quartile_tracker::{Length, PageSignal};

use crate::browser::Browser;
use crate::network::Network;
use crate::page::Page;
use crate::shell::Shell;

/// A video of the simulated site.
#[derive(Clone, Copy, Debug)]
pub struct Film {
    /// Its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its duration.
    pub seconds: u64,
}

/// The videos, the most popular first.
pub const FILMS: &[Film] = &[
    Film { id: "launch", title: "The launch", seconds: 95 },
    Film { id: "tour", title: "A tour in two minutes", seconds: 120 },
    Film { id: "interview", title: "Interview with the makers", seconds: 1_260 },
    Film { id: "tutorial-1", title: "Tutorial 1: first steps", seconds: 420 },
    Film { id: "tutorial-2", title: "Tutorial 2: going further", seconds: 660 },
    Film { id: "trailer", title: "Trailer", seconds: 32 },
    Film { id: "lecture", title: "Lecture: how it works inside", seconds: 2_700 },
    Film { id: "outtakes", title: "Outtakes", seconds: 180 },
];

/// A kind of device, and how many of a hundred viewers have it.
struct Device {
    share: u32,
    user_agent: &'static str,
    browser: Browser,
    touch_points: u32,
}

const DEVICES: &[Device] = &[
    Device {
        share: 30,
        user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
        browser: Browser::Chromium,
        touch_points: 0,
    },
    Device {
        share: 24,
        user_agent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36",
        browser: Browser::Chromium,
        touch_points: 5,
    },
    Device {
        share: 18,
        user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
        browser: Browser::WebKit,
        touch_points: 5,
    },
    Device {
        share: 10,
        user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
        browser: Browser::WebKit,
        touch_points: 0,
    },
    Device {
        share: 7,
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
        browser: Browser::Firefox,
        touch_points: 0,
    },
    Device {
        share: 4,
        user_agent: "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.5359.211 Safari/537.36 WebAppManager",
        browser: Browser::Chromium,
        touch_points: 0,
    },
    Device {
        share: 4,
        user_agent: "Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) 94.0.4606.31/7.0 TV Safari/537.36",
        browser: Browser::Chromium,
        touch_points: 0,
    },
    Device {
        share: 3,
        user_agent: "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
        browser: Browser::WebKit,
        touch_points: 5,
    },
];

/// A place, and how many of a hundred viewers live there: country, region, weight.
const PLACES: &[(&str, &str, u32)] = &[
    ("US", "California", 14),
    ("US", "New York", 10),
    ("DE", "Berlin", 12),
    ("FR", "Île-de-France", 11),
    ("GB", "England", 11),
    ("IN", "Maharashtra", 14),
    ("BR", "São Paulo", 9),
    ("JP", "Tokyo", 8),
    ("NG", "Lagos", 6),
    ("AU", "New South Wales", 5),
];

/// Somebody in front of a screen.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The browser's user agent.
    pub user_agent: &'static str,
    /// ISO 3166-1 alpha-2 code of the country.
    pub country: &'static str,
    /// The region.
    pub region: &'static str,
    /// The address that the viewer comes from, of a block that is reserved for documentation and tests.
    pub address: String,
    browser: Browser,
    touch_points: u32,
    random: Rng,
}

/// How one viewing goes, decided beforehand.
#[derive(Clone, Copy, Debug)]
struct Plan {
    film: Film,
    /// From the page to the click; `None` = never clicked.
    click_ms: Option<Millis>,
    /// From the click to the first frame.
    wait_ms: Millis,
    /// How much of the film is watched, in thousandths.
    watch: u64,
    pause: bool,
    seek: bool,
}

impl Viewer {
    /// The viewer with this number in the audience of this seed.
    #[must_use]
    pub fn new(seed: u64, number: u64) -> Self {
        let mut random = Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let device = pick(&mut random, DEVICES, |device| device.share);
        let &(country, region, _) = pick(&mut random, PLACES, |place| place.2);
        // 198.18.0.0/15 is reserved for benchmarks (RFC 2544).
        let address = format!("198.{}.{}.{}", 18 + (number >> 16 & 1), number >> 8 & 255, number & 255);
        let Device { user_agent, browser, touch_points, .. } = *device;
        Self { user_agent, country, region, address, browser, touch_points, random }
    }

    /// Watches one film on a page that is opened at `opened`; every request goes through `network`. Gives the page as
    /// it was left.
    pub fn watch(&mut self, site: &SiteId, opened: Wall, network: Network) -> Page {
        let plan = self.plan();
        let video = Video { id: plan.film.id.into(), title: plan.film.title.into(), ..Video::default() };
        let player = Player { name: "simulator".into(), autoplay: Some(false), ..Player::default() };
        let mut page = Page::open(self.shell(site), player, video, "/film.mp4", opened, network);
        page.set_browser(self.browser, self.random.u64(..));
        page.wait(self.random.u64(80..900));
        page.load(Length::Finite(plan.film.seconds * 1000));
        match plan.click_ms {
            Some(click_ms) => self.follow(plan, click_ms, &mut page),
            None => page.wait(self.random.u64(2_000..40_000)),
        }
        page.page(PageSignal::Left);
        page.wait(1_000);
        page
    }

    /// How long a viewing takes at the most.
    #[must_use]
    pub fn longest() -> Millis {
        FILMS.iter().map(|film| film.seconds).max().unwrap_or(0) * 1_000 + 200_000
    }

    fn follow(&mut self, plan: Plan, click_ms: Millis, page: &mut Page) {
        page.wait(click_ms);
        page.play(plan.wait_ms);
        // A first frame that does not come within seconds is left behind.
        if plan.wait_ms > 6_000 {
            return page.wait(6_000);
        }
        page.wait(plan.wait_ms);
        let watch_ms = plan.film.seconds * plan.watch;
        let first_ms = watch_ms / 2;
        page.wait(first_ms);
        if plan.pause {
            page.pause();
            page.wait(self.random.u64(1_000..60_000));
            page.play(0);
        }
        if plan.seek {
            let to = self.random.u64(0..plan.film.seconds * 1000);
            page.seek(Media::from_ms(to as i64), self.random.u64(50..1_500));
        }
        page.wait(watch_ms - first_ms + 200);
    }

    fn plan(&mut self) -> Plan {
        let random = &mut self.random;
        // Each film has about two thirds of the plays of the one before it.
        let rank = std::iter::repeat_with(|| random.f64()).take_while(|&luck| luck < 0.66).count();
        let film = FILMS[rank.min(FILMS.len() - 1)];
        let clicked = random.f64() < 0.68;
        let slow = random.f64() < 0.05;
        Plan {
            film,
            click_ms: clicked.then(|| random.u64(800..9_000)),
            wait_ms: if slow { random.u64(2_000..12_000) } else { random.u64(120..1_400) },
            watch: watched_share(film, random),
            pause: random.f64() < 0.2,
            seek: random.f64() < 0.15,
        }
    }

    fn shell(&mut self, site: &SiteId) -> Shell {
        let seed = [self.random.u64(..), self.random.u64(..)];
        let mut shell = Shell::new(site.clone(), seed);
        shell.page.url = "https://www.example.org/watch".into();
        shell.client.touch_points = Some(self.touch_points);
        shell
    }
}

/// Thousandths of the film: some leave in its first seconds, some stay to the end, the others thin out evenly; and the
/// longer it is, the fewer stay.
fn watched_share(film: Film, random: &mut Rng) -> u64 {
    let stays = if film.seconds < 200 { 0.55 } else { 0.3 };
    match random.f64() {
        luck if luck < 0.12 => random.u64(5..60),
        luck if luck < 0.12 + stays => 1_000,
        _ => random.u64(60..1_000),
    }
}

fn pick<'a, T>(random: &mut Rng, choices: &'a [T], weight: impl Fn(&T) -> u32) -> &'a T {
    let mut left = random.u32(0..choices.iter().map(&weight).sum());
    for choice in choices {
        match left.checked_sub(weight(choice)) {
            Some(rest) => left = rest,
            None => return choice,
        }
    }
    &choices[choices.len() - 1]
}

#[cfg(test)]
mod tests {
    use quartile_protocol::field::Field;

    use super::*;
    use crate::network::good_network;

    fn watch(number: u64) -> Page {
        let site = SiteId::new("demo").expect("a good key");
        Viewer::new(7, number).watch(&site, Wall::from_ms(1_790_000_000_000), good_network())
    }

    #[test]
    fn the_same_seed_is_the_same_audience() {
        let bodies = |page: Page| page.sent().iter().map(|sent| sent.batch.clone()).collect::<Vec<_>>();
        assert_eq!(bodies(watch(3)), bodies(watch(3)));
    }

    #[test]
    fn every_view_ends_and_most_impressions_are_played() {
        let (mut plays, mut stops) = (0, 0);
        for number in 0..100 {
            let page = watch(number);
            let slices = page.sent().iter().flat_map(|sent| &sent.batch.views).flat_map(|view| &view.slices);
            let max = |field| slices.clone().map(|slice| slice.fields[field]).max().unwrap_or(0);
            plays += max(Field::Plays);
            stops += max(Field::Stops);
        }
        assert_eq!(stops, 100);
        assert!((50..85).contains(&plays), "{plays} plays");
    }
}

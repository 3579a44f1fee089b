//! The shell of a simulated page: it knows whose page it is, and completes the bodies that the tracker writes.

use quartile_protocol::batch::{Batch, Client, Page};
use quartile_protocol::clock::Wall;
use quartile_protocol::decode::Envelope;
use quartile_protocol::id::{SessionId, SiteId};
use quartile_tracker::{Config, Send};

/// Whose page it is, and what is known of it.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The site.
    pub site: SiteId,
    /// The SDK's name and version.
    pub sdk: String,
    /// The user that the site knows; else empty.
    pub user: String,
    /// The page.
    pub page: Page,
    /// The device.
    pub client: Client,
    /// Random bits.
    pub seed: [u64; 2],
}

impl Shell {
    /// A page of `site` of which nothing more is known.
    #[must_use]
    pub fn new(site: SiteId, seed: [u64; 2]) -> Self {
        Self {
            site,
            sdk: concat!("quartile-simulator/", env!("CARGO_PKG_VERSION")).into(),
            user: String::new(),
            page: Page::default(),
            client: Client::default(),
            seed,
        }
    }

    /// What the tracker needs to know.
    #[must_use]
    pub fn config(&self) -> Config {
        Config {
            user: self.user.clone(),
            context_bytes: self.envelope(true, Wall::default()).to_json().len(),
            seed: self.seed,
        }
    }

    /// The whole body of a request.
    ///
    /// # Panics
    /// When the tracker wrote something that a collector would refuse, which is never to happen.
    #[must_use]
    pub fn complete(&self, send: &Send, sent_at: Wall) -> Batch {
        let members = std::str::from_utf8(&send.body).expect("the tracker writes text");
        let envelope = self.envelope(send.context, sent_at).to_json();
        let body = format!("{},{members}}}", &envelope[..envelope.len() - 1]);
        let decoded = Envelope::read(body.as_bytes()).and_then(Envelope::validate);
        let decoded = decoded.unwrap_or_else(|problem| panic!("{problem:?} in {body}"));
        assert!(decoded.rejected.is_empty(), "{:?} in {body}", decoded.rejected);
        decoded.batch
    }

    fn session_bytes(&self) -> [u8; 16] {
        let [high, low] = self.seed;
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }

    /// What is around the views.
    fn envelope(&self, context: bool, sent_at: Wall) -> Batch {
        Batch {
            site: self.site.clone(),
            sent_at,
            sdk: self.sdk.clone(),
            session: context.then_some(SessionId::new(self.session_bytes())),
            viewer: String::new(),
            user: String::new(),
            page: if context { self.page.clone() } else { Page::default() },
            client: context.then(|| self.client.clone()),
            views: Vec::new(),
            discarded: Vec::new(),
        }
    }
}

//! A batch with all that is known of it, as one record: pure functions over values.
//!
//! Wire types stop here and stored rows begin. Nothing here reads a clock, a file or a network: what the request told
//! of its sender comes in as [`Facts`].

pub mod accounts;
pub mod page;
pub mod quota;
pub mod record;
#[cfg(test)]
mod tests;

use quartile_protocol::batch::{Batch, Client, View};
use quartile_protocol::clock::Wall;
use quartile_protocol::dimension::{Dimension, Dimensions};

pub use self::record::{Record, RecordError, RecordView};
use crate::enrich::agent::{Agent, Device};
use crate::enrich::place::Place;

/// A difference of clocks up to here is the way of the message, not an error of the clock.
const CLOCK_TOLERANCE_MS: i64 = 5_000;

/// What sets the names of the product's own senders apart from those of others.
const OWN_SENDER: &str = "quartile-";

/// What the collector knows of a batch beside its body.
pub struct Facts<'a> {
    /// When it arrived.
    pub received_at: Wall,
    /// Whether Global Privacy Control is on: nothing that tells one viewer from another is kept.
    pub private: bool,
    /// The names of the site's custom dimensions, in the order of the columns.
    pub custom: &'a [String],
    /// The sender's device. Like the two below it is used only where the batch carries the context.
    pub agent: Agent,
    /// Where the sender is.
    pub place: &'a Place,
    /// The stand-in for a viewer without an id in views of a day.
    pub daily_viewer: &'a dyn Fn(i64) -> String,
}

/// Turns a batch into the record that the queue keeps.
#[must_use]
pub fn record(batch: Batch, facts: &Facts<'_>) -> Record {
    let common = common(&batch, facts);
    let shift = clock_error(batch.sent_at, facts.received_at);
    let nameless = batch.viewer.is_empty() && batch.user.is_empty();
    let daily = batch.client.is_some() && nameless && !facts.private;
    let views = batch.views.into_iter().map(|view| {
        let mut dimensions = common.clone();
        set_view(&mut dimensions, &view, facts.custom);
        if daily {
            dimensions.set(Dimension::DailyViewer, (facts.daily_viewer)(view.id.day()));
        }
        record_view(view, dimensions, shift)
    });
    Record {
        views: views.filter(|view| !view.is_empty()).collect(),
        received_at: Some(facts.received_at),
        site: batch.site,
    }
}

/// By how much the sender's dates are moved: 0 where its clock is right.
fn clock_error(sent_at: Wall, received_at: Wall) -> i64 {
    let error = received_at.since(sent_at);
    if error.abs() > CLOCK_TOLERANCE_MS { error } else { 0 }
}

fn record_view(mut view: View, dimensions: Dimensions, shift: i64) -> RecordView {
    for slice in &mut view.slices {
        slice.at = slice.at.shifted(shift);
    }
    for event in &mut view.events {
        event.at = event.at.shifted(shift);
    }
    RecordView { id: view.id, dimensions, slices: view.slices, events: view.events }
}

/// The dimensions that all views of a batch have in common.
fn common(batch: &Batch, facts: &Facts<'_>) -> Dimensions {
    let mut dimensions = Dimensions::default();
    set_page(&mut dimensions, batch);
    let in_page = batch.sdk.starts_with(OWN_SENDER);
    dimensions.set(Dimension::Source, if in_page { "sdk" } else { "api" });
    dimensions.set(Dimension::Sdk, batch.sdk.as_str());
    if !facts.private {
        dimensions.set(Dimension::User, batch.user.as_str());
        dimensions.set(Dimension::Viewer, batch.viewer.as_str());
        let session = batch.session.map(|session| session.to_string());
        dimensions.set(Dimension::Session, session.unwrap_or_default());
    }
    if let Some(client) = &batch.client {
        set_sender(&mut dimensions, client, facts);
        // A bot is a browser that runs the SDK unattended; who writes to the API by program means to.
        dimensions.set(Dimension::Bot, if in_page { facts.agent.bot.as_str() } else { "" });
    }
    dimensions
}

fn set_page(dimensions: &mut Dimensions, batch: &Batch) {
    let page = &batch.page;
    let (address, referrer) = (page::split(&page.url), page::split(&page.referrer));
    if referrer.host != address.host {
        dimensions.set(Dimension::ReferrerDomain, referrer.host);
    }
    dimensions.set(Dimension::Domain, address.host);
    dimensions.set(Dimension::Page, address.path);
    dimensions.set(Dimension::Application, page.application.as_str());
    dimensions.set(Dimension::Language, page.language.as_str());
    dimensions.set(Dimension::UtmSource, page.utm_source.as_str());
    dimensions.set(Dimension::UtmMedium, page.utm_medium.as_str());
    dimensions.set(Dimension::UtmCampaign, page.utm_campaign.as_str());
}

/// Device and place, from a batch that carries the context.
fn set_sender(dimensions: &mut Dimensions, client: &Client, facts: &Facts<'_>) {
    let (agent, place) = (&facts.agent, facts.place);
    dimensions.set(Dimension::Connection, client.connection.as_str());
    dimensions.set(Dimension::Device, agent.device.map_or("", Device::as_str));
    dimensions.set(Dimension::DeviceVendor, agent.vendor.as_str());
    dimensions.set(Dimension::DeviceModel, agent.model.as_str());
    dimensions.set(Dimension::Os, agent.os.as_str());
    dimensions.set(Dimension::OsVersion, agent.os_version.as_str());
    dimensions.set(Dimension::Browser, agent.browser.as_str());
    dimensions.set(Dimension::BrowserVersion, agent.browser_version.as_str());
    dimensions.set(Dimension::Country, place.country.as_str());
    dimensions.set(Dimension::Region, place.region.as_str());
    dimensions.set(Dimension::City, if facts.private { "" } else { &place.city });
    dimensions.set(Dimension::Isp, place.isp.as_str());
}

/// What a view says of itself.
fn set_view(dimensions: &mut Dimensions, view: &View, custom: &[String]) {
    let (video, player) = (&view.video, &view.player);
    dimensions.set(Dimension::Video, video.id.as_str());
    dimensions.set(Dimension::VideoTitle, video.title.as_str());
    dimensions.set(Dimension::Series, video.series.as_str());
    dimensions.set(Dimension::Category, video.category.as_str());
    dimensions.set(Dimension::Kind, video.kind.map_or("", |kind| kind.as_str()));
    dimensions.set(Dimension::Media, video.media.map_or("", |media| media.as_str()));
    dimensions.set(Dimension::Player, player.name.as_str());
    dimensions.set(Dimension::PlayerVersion, player.version.as_str());
    dimensions.set(Dimension::Engine, player.engine.as_str());
    dimensions.set(Dimension::Protocol, player.protocol.as_str());
    dimensions.set(Dimension::Cdn, player.cdn.as_str());
    dimensions.set(Dimension::Autoplay, truth(player.autoplay));
    dimensions.set(Dimension::MutedStart, truth(player.muted_start));
    for (name, column) in custom.iter().zip(CUSTOM) {
        let value = view.dims.iter().rfind(|(given, _)| given == name);
        dimensions.set(*column, value.map_or("", |(_, value)| value.as_str()));
    }
}

const fn truth(value: Option<bool>) -> &'static str {
    match value {
        None => "",
        Some(true) => "true",
        Some(false) => "false",
    }
}

/// The columns of a site's custom dimensions.
pub const CUSTOM: &[Dimension] = &[
    Dimension::Custom1,
    Dimension::Custom2,
    Dimension::Custom3,
    Dimension::Custom4,
    Dimension::Custom5,
    Dimension::Custom6,
    Dimension::Custom7,
    Dimension::Custom8,
    Dimension::Custom9,
    Dimension::Custom10,
];

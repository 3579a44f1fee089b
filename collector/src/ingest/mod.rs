//! A batch with all that is known of it, as one record: pure functions over values.
//!
//! Wire types stop here and stored rows begin. Nothing here reads a clock, a file or a network: what the request told
//! of its sender comes in as [`Facts`].

pub mod accounts;
pub mod page;
mod per_site;
pub mod quota;
pub mod record;
#[cfg(test)]
mod tests;

use std::iter::repeat_n;
use std::mem::take;

use quartile_protocol::batch::{Batch, Client, Page, View};
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
pub fn record(mut batch: Batch, mut facts: Facts<'_>) -> Record {
    let shift = clock_error(batch.sent_at, facts.received_at);
    let nameless = batch.viewer.is_empty() && batch.user.is_empty();
    let daily = batch.client.is_some() && nameless && !facts.private;
    let common = common(&mut batch, &mut facts);
    // The last view takes the common ones along, and most batches have one.
    let each = repeat_n(common, batch.views.len());
    let views = batch.views.into_iter().zip(each).map(|(mut view, mut dimensions)| {
        set_view(&mut dimensions, &mut view, facts.custom);
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

/// The dimensions that all views of a batch have in common. Their texts are taken out of it.
fn common(batch: &mut Batch, facts: &mut Facts<'_>) -> Dimensions {
    let mut dimensions = Dimensions::default();
    set_page(&mut dimensions, &mut batch.page);
    let in_page = batch.sdk.starts_with(OWN_SENDER);
    dimensions.set(Dimension::Source, if in_page { "sdk" } else { "api" });
    dimensions.set(Dimension::Sdk, take(&mut batch.sdk));
    if !facts.private {
        dimensions.set(Dimension::User, take(&mut batch.user));
        dimensions.set(Dimension::Viewer, take(&mut batch.viewer));
        let session = batch.session.map(|session| session.to_string());
        dimensions.set(Dimension::Session, session.unwrap_or_default());
    }
    if let Some(client) = &mut batch.client {
        set_sender(&mut dimensions, client, facts);
        // A bot is a browser that runs the SDK unattended; who writes to the API by program means to.
        dimensions.set(Dimension::Bot, if in_page { take(&mut facts.agent.bot) } else { String::new() });
    }
    dimensions
}

fn set_page(dimensions: &mut Dimensions, page: &mut Page) {
    let (address, referrer) = (page::split(&page.url), page::split(&page.referrer));
    if referrer.host != address.host {
        dimensions.set(Dimension::ReferrerDomain, referrer.host);
    }
    dimensions.set(Dimension::Domain, address.host);
    dimensions.set(Dimension::Page, address.path);
    dimensions.set(Dimension::Application, take(&mut page.application));
    dimensions.set(Dimension::Language, take(&mut page.language));
    dimensions.set(Dimension::UtmSource, take(&mut page.utm_source));
    dimensions.set(Dimension::UtmMedium, take(&mut page.utm_medium));
    dimensions.set(Dimension::UtmCampaign, take(&mut page.utm_campaign));
}

/// Device and place, from a batch that carries the context.
fn set_sender(dimensions: &mut Dimensions, client: &mut Client, facts: &mut Facts<'_>) {
    let (agent, place) = (&mut facts.agent, facts.place);
    dimensions.set(Dimension::Connection, take(&mut client.connection));
    dimensions.set(Dimension::Device, agent.device.map_or("", Device::as_str));
    dimensions.set(Dimension::DeviceVendor, take(&mut agent.vendor));
    dimensions.set(Dimension::DeviceModel, take(&mut agent.model));
    dimensions.set(Dimension::Os, take(&mut agent.os));
    dimensions.set(Dimension::OsVersion, take(&mut agent.os_version));
    dimensions.set(Dimension::Browser, take(&mut agent.browser));
    dimensions.set(Dimension::BrowserVersion, take(&mut agent.browser_version));
    dimensions.set(Dimension::Country, place.country.as_str());
    dimensions.set(Dimension::Region, place.region.as_str());
    dimensions.set(Dimension::City, if facts.private { "" } else { &place.city });
    dimensions.set(Dimension::Isp, place.isp.as_str());
}

/// What a view says of itself.
fn set_view(dimensions: &mut Dimensions, view: &mut View, custom: &[String]) {
    let (video, player) = (&mut view.video, &mut view.player);
    dimensions.set(Dimension::Video, take(&mut video.id));
    dimensions.set(Dimension::VideoTitle, take(&mut video.title));
    dimensions.set(Dimension::Series, take(&mut video.series));
    dimensions.set(Dimension::Category, take(&mut video.category));
    dimensions.set(Dimension::Kind, video.kind.map_or("", |kind| kind.as_str()));
    dimensions.set(Dimension::Media, video.media.map_or("", |media| media.as_str()));
    dimensions.set(Dimension::Player, take(&mut player.name));
    dimensions.set(Dimension::PlayerVersion, take(&mut player.version));
    dimensions.set(Dimension::Engine, take(&mut player.engine));
    dimensions.set(Dimension::Protocol, take(&mut player.protocol));
    dimensions.set(Dimension::Cdn, take(&mut player.cdn));
    dimensions.set(Dimension::Autoplay, truth(player.autoplay));
    dimensions.set(Dimension::MutedStart, truth(player.muted_start));
    for (name, column) in custom.iter().zip(Dimension::CUSTOM) {
        let value = view.dims.iter().rfind(|(given, _)| given == name);
        dimensions.set(column, value.map_or("", |(_, value)| value.as_str()));
    }
}

const fn truth(value: Option<bool>) -> &'static str {
    match value {
        None => "",
        Some(true) => "true",
        Some(false) => "false",
    }
}

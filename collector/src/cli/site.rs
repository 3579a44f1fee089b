//! `quartile site`: who may send.

use std::error::Error;
use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use quartile_collector::config::{self, NewSite, Site, Sites};
use serde_json::json;
use toml::Value;

use super::load;
use super::queue::Output;

const ADD: &str = "\
Adds a site at the end of the configuration, which otherwise stays as it is, and which a collector at work reads again \
at once. With a mistake nothing is added.

The key is public: pages name it in data-site.";

/// What can be done with sites.
#[derive(Subcommand)]
pub enum SiteCommand {
    /// Add a site to the configuration
    #[command(long_about = ADD)]
    Add(Add),
    /// Tell which sites there are
    List(Output),
}

#[derive(Args)]
pub struct Add {
    /// Its key: letters, digits, '.', '_' and '-'
    id: String,
    /// Pages that may send, such as <https://example.org> or <https://*.example.org>; `*` is any page
    #[arg(long = "origin", value_name = "ORIGIN", required = true)]
    origins: Vec<String>,
    /// The name of a dimension of its own
    #[arg(long = "dimension", value_name = "NAME")]
    dimensions: Vec<String>,
    /// Requests it may send in a minute
    #[arg(long, value_name = "NUMBER")]
    requests_per_minute: Option<u32>,
    /// New views it may send in a minute
    #[arg(long, value_name = "NUMBER")]
    views_per_minute: Option<u32>,
    /// Days that its rows are to be kept
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<u32>,
    /// How exactly viewers are placed
    #[arg(long, value_enum)]
    geo: Option<Geo>,
    /// What holds of viewers who were not asked
    #[arg(long, value_enum)]
    consent: Option<Consent>,
    /// The timezone of its reports, such as Europe/Paris
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Geo {
    None,
    Country,
    Region,
    City,
}

#[derive(Clone, Copy, ValueEnum)]
enum Consent {
    Granted,
    Denied,
}

/// Does what the command line says.
pub fn run(command: &SiteCommand, path: Option<&Path>) -> Result<(), Box<dyn Error>> {
    match command {
        SiteCommand::Add(site) => {
            let path = path.ok_or("name the configuration with --config: the demo has one site and no other")?;
            let added = config::add_site(path, &new_site(site), &config::process_env)?;
            println!("Added to {}:\n\n{added}", path.display());
            println!("For its pages: <script src=\"…/quartile.js\" data-site=\"{}\" async></script>", site.id);
            Ok(())
        }
        SiteCommand::List(output) => {
            list(&load(path.map(Path::to_owned).as_ref())?.sites, output);
            Ok(())
        }
    }
}

fn new_site(site: &Add) -> NewSite {
    let number = |key, number: Option<u32>| number.map(|number| (key, Value::Integer(number.into())));
    let word = |value: Option<clap::builder::PossibleValue>| value.map(|value| Value::String(value.get_name().into()));
    let settings = [
        number("requests_per_minute", site.requests_per_minute),
        number("views_per_minute", site.views_per_minute),
        number("retention_days", site.retention_days),
        word(site.geo.and_then(|geo| geo.to_possible_value())).map(|word| ("geo", word)),
        word(site.consent.and_then(|consent| consent.to_possible_value())).map(|word| ("consent", word)),
        site.timezone.clone().map(|zone| ("timezone", Value::String(zone))),
    ];
    NewSite {
        id: site.id.clone(),
        origins: site.origins.clone(),
        dimensions: site.dimensions.clone(),
        settings: settings.into_iter().flatten().collect(),
    }
}

fn list(sites: &Sites, output: &Output) {
    if output.json {
        let sites: Vec<_> = sites.iter().map(|site| as_json(site)).collect();
        println!("{}", json!({ "sites": sites }));
        return;
    }
    for site in sites.iter() {
        println!("{}  {}", site.id, site.origins);
    }
}

fn as_json(site: &Site) -> serde_json::Value {
    json!({
        "id": site.id.as_str(),
        "origins": site.origins.texts(),
        "dimensions": site.dimensions,
        "requests_per_minute": site.quota.requests,
        "views_per_minute": site.quota.views,
        "retention_days": site.retention_days,
        "geo": site.geo.as_str(),
        "consent": site.consent.as_str(),
        "timezone": site.timezone.iana_name().unwrap_or("UTC"),
    })
}

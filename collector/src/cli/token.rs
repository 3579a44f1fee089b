//! `quartile token`: who may read.

use std::error::Error;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use quartile_collector::access::file::{self, Token};
use quartile_collector::access::{Reach, Scope};
use quartile_collector::clock::Clock;
use quartile_collector::config::Config;
use quartile_protocol::id::SiteId;
use serde_json::json;

use super::queue::Output;

const CREATE: &str = "\
Makes a token and prints it, once: only its hash is kept, in tokens.json of the data folder, which a collector at work \
reads again at once.

Scopes, each with what those before it may:
  read    reports and their catalog
  export  single rows; nothing serves them yet
  admin   everything, /metrics included

A token is for the sites that --site names, or for --every-site.";

/// What can be done with tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, once
    #[command(long_about = CREATE)]
    Create(Create),
    /// Tell which tokens there are; not what they are
    List(Output),
    /// Take a token back
    Revoke {
        /// Its id, as `quartile token list` tells it
        id: String,
    },
}

#[derive(Args)]
pub struct Create {
    /// What you call it
    #[arg(long, default_value = "")]
    name: String,
    /// What it is for
    #[arg(long, value_enum, default_value = "read")]
    scope: ScopeName,
    /// A site that it is for; may be given several times
    #[arg(long = "site", value_name = "ID", required_unless_present = "every_site")]
    sites: Vec<String>,
    /// It is for every site, those that are added later too
    #[arg(long, conflicts_with = "sites")]
    every_site: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScopeName {
    Read,
    Export,
    Admin,
}

/// A site that a token was to be for.
#[derive(Debug, thiserror::Error)]
#[error("there is no site `{0}` in the configuration: `quartile site list` tells which there are")]
struct NoSuchSite(String);

/// Does what the command line says.
pub fn run(command: &TokenCommand, config: &Config) -> Result<(), Box<dyn Error>> {
    match command {
        TokenCommand::Create(wanted) => create(wanted, config),
        TokenCommand::List(output) => list(&file::read(&config.tokens_path())?, output),
        TokenCommand::Revoke { id } => {
            let revoked = file::revoke(&config.tokens_path(), id)?;
            println!("revoked  {}", line(&revoked));
            Ok(())
        }
    }
}

fn create(wanted: &Create, config: &Config) -> Result<(), Box<dyn Error>> {
    let scope = match wanted.scope {
        ScopeName::Read => Scope::Read,
        ScopeName::Export => Scope::Export,
        ScopeName::Admin => Scope::Admin,
    };
    let reach = if wanted.every_site { Reach::Every } else { Reach::Only(sites(&wanted.sites, config)?) };
    let (secret, made) = file::create(&config.tokens_path(), &wanted.name, scope, reach, Clock::system().now())?;
    println!("The token; it is not shown again and not kept anywhere:\n\n  {secret}\n");
    println!("kept     {}", line(&made));
    println!("to read  curl -H 'Authorization: Bearer {secret}' http://{}/v1/reports/catalog", config.listen);
    Ok(())
}

fn sites(names: &[String], config: &Config) -> Result<Vec<SiteId>, Box<dyn Error>> {
    let known = |name: &String| {
        let id = SiteId::new(name).ok().filter(|id| config.sites.get(id).is_some());
        id.ok_or_else(|| NoSuchSite(name.clone()).into())
    };
    names.iter().map(known).collect()
}

fn list(tokens: &[Token], output: &Output) -> Result<(), Box<dyn Error>> {
    if output.json {
        let tokens: Vec<_> = tokens.iter().map(as_json).collect();
        println!("{}", json!({ "tokens": tokens }));
        return Ok(());
    }
    if tokens.is_empty() {
        println!("There is no token; `quartile token create` makes one.");
    }
    tokens.iter().for_each(|token| println!("{}", line(token)));
    Ok(())
}

fn as_json(token: &Token) -> serde_json::Value {
    let sites = match &token.grant.sites {
        Reach::Every => None,
        Reach::Only(sites) => Some(sites.iter().map(SiteId::as_str).collect::<Vec<_>>()),
    };
    json!({
        "id": token.id, "name": token.name, "scope": token.grant.scope.as_str(), "sites": sites,
        "created_at": token.created_at.as_ms(),
    })
}

fn line(token: &Token) -> String {
    let made = Timestamp::from_millisecond(token.created_at.as_ms()).map(|at| at.to_string()).unwrap_or_default();
    let name = if token.name.is_empty() { "-" } else { &token.name };
    format!("{}  {:<6}  {}  {made}  {name}", token.id, token.grant.scope.as_str(), token.grant.sites)
}

//! What is asked, and the work of answering it, which blocks.

use std::sync::Arc;

use axum::response::Response;
use quartile_protocol::id::SiteId;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::access::{Reader, Scope};
use crate::config::Site;
use crate::report::dimension::Names;
use crate::report::error::{Code, Refusal, ReportError};
use crate::report::named::{self, PartAnswer, Report, Situation};
use crate::report::parameters::{self, Parameters};
use crate::report::query::Request;
use crate::report::sheet::Sheet;
use crate::report::special::{self, Funnel, Realtime, Retention};
use crate::report::timeline::{self, Timeline};
use crate::report::{self, Answer, catalog};
use crate::server::{Services, access};
use crate::store::cancel::Cancel;

/// Which report is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Query,
    Funnel,
    Retention,
    Realtime,
    Timeline,
    Catalog,
    Named { report: String, part: Option<String> },
}

/// With what it is asked for.
#[derive(Clone, Debug)]
pub enum Asked {
    Report(Request),
    View { site: Value, view: Option<String> },
    Site(Option<Value>),
}

/// What is answered.
pub enum Reply {
    Forbidden(Response),
    Table(Box<Answer>),
    Funnel(Funnel),
    Retention(Retention),
    Realtime(Realtime),
    Timeline(Timeline),
    Named(Report),
    Catalog(Value),
}

impl Ask {
    /// What may stand behind the question mark.
    pub const fn parameters(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Query => parameters::QUERY,
            Self::Funnel | Self::Retention | Self::Realtime => parameters::SPECIAL,
            Self::Timeline => parameters::TIMELINE,
            Self::Catalog => parameters::CATALOG,
            Self::Named { .. } => parameters::NAMED,
        }
    }

    pub fn with_parameters(&self, parameters: &Parameters) -> Result<Asked, Refusal> {
        let site = parameters.get("site").map(|site| json!(site));
        Ok(match self {
            Self::Query => Asked::Report(Request::new(parameters.query()?)?),
            Self::Timeline => {
                Asked::View { site: json!({ "site": site }), view: parameters.get("view").map(str::to_owned) }
            }
            Self::Catalog => Asked::Site(site.map(|site| json!({ "site": site }))),
            _ => Asked::Report(Request::new(parameters.report()?)?),
        })
    }
}

impl Asked {
    /// Whether all rows are wanted, however many pages they make.
    pub fn is_unbounded(&self) -> bool {
        matches!(self, Self::Report(request) if request.is_unbounded())
    }
}

/// The site of a request, for a reader who may read it. The reader is looked at first, so that a token for other sites
/// does not tell which there are.
#[expect(clippy::result_large_err, reason = "the answer is given at once")]
fn site(
    services: &Services,
    reader: &Reader,
    scope: Scope,
    id: &SiteId,
) -> Result<Arc<Site>, Result<Response, ReportError>> {
    if let Some(refusal) = access::refusal(reader, scope, Some(id)) {
        return Err(Ok(refusal));
    }
    services.sites.load().get(id).cloned().ok_or_else(|| {
        let message = format!("there is no site `{id}` here");
        Err(Refusal { code: Code::InvalidValue, message, field: "site".into() }.into())
    })
}

/// Answers. Blocks on the store.
pub fn reply(
    services: &Services,
    reader: &Reader,
    ask: &Ask,
    asked: &Asked,
    cancel: &Cancel,
) -> Result<Reply, ReportError> {
    let (scope, id) = match asked {
        Asked::Report(request) => (Scope::Read, request.site.clone()),
        // Single rows, though of a view that nobody finds by its viewer.
        Asked::View { site, .. } => (Scope::Export, Request::new(site.clone())?.site),
        Asked::Site(None) => return Ok(Reply::Catalog(catalog::catalog(&Names::default()))),
        Asked::Site(Some(site)) => (Scope::Read, Request::new(site.clone())?.site),
    };
    let site = match site(services, reader, scope, &id) {
        Ok(site) => site,
        Err(refusal) => return refusal.map(Reply::Forbidden),
    };
    let names = Names::new(&site.dimensions);
    match asked {
        Asked::Site(_) => Ok(Reply::Catalog(catalog::catalog(&names))),
        Asked::View { view, .. } => {
            let view = timeline::view(view.as_deref())?;
            timeline::timeline(&*services.store, &site.id, view, &site.timezone).map(Reply::Timeline)
        }
        Asked::Report(request) => of_report(services, &site, &names, ask, request, cancel),
    }
}

fn of_report(
    services: &Services,
    site: &Site,
    names: &Names,
    ask: &Ask,
    request: &Request,
    cancel: &Cancel,
) -> Result<Reply, ReportError> {
    let (store, now) = (&*services.store, services.clock.now());
    let special = || {
        let mut asked = special::Asked::new(request, names.clone())?;
        asked.in_timezone(&site.timezone);
        Ok::<_, ReportError>(asked)
    };
    match ask {
        Ask::Funnel => special::funnel(store, &special()?, now, cancel).map(Reply::Funnel),
        Ask::Retention => special::retention(store, &special()?, now, cancel).map(Reply::Retention),
        Ask::Realtime => special::realtime(store, &special()?, now, cancel).map(Reply::Realtime),
        Ask::Named { report, part } => {
            let situation = Situation { request, names, timezone: &site.timezone, now, cancel };
            named::report(store, named::find(report)?, part.as_deref(), &situation).map(Reply::Named)
        }
        Ask::Query | Ask::Timeline | Ask::Catalog => {
            let mut query = request.query(names.clone())?;
            query.timezone.get_or_insert_with(|| site.timezone.clone());
            report::answer(store, &query, now, cancel).map(|answer| Reply::Table(Box::new(answer)))
        }
    }
}

impl Reply {
    /// The rows, of what has rows.
    pub fn sheet(&self) -> Option<Sheet> {
        match self {
            Self::Table(answer) => Some(answer.sheet()),
            Self::Funnel(funnel) => Some(funnel.sheet()),
            Self::Retention(retention) => Some(retention.sheet()),
            Self::Realtime(realtime) => Some(realtime.sheet()),
            Self::Timeline(timeline) => Some(timeline.sheet()),
            Self::Named(report) => match &report.parts[..] {
                [one] => Some(match &one.answer {
                    PartAnswer::Table(answer) => answer.sheet(),
                    PartAnswer::Funnel(funnel) => funnel.sheet(),
                    PartAnswer::Retention(retention) => retention.sheet(),
                    PartAnswer::Realtime(realtime) => realtime.sheet(),
                }),
                _ => None,
            },
            Self::Catalog(_) | Self::Forbidden(_) => None,
        }
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Table(answer) => answer.serialize(serializer),
            Self::Funnel(funnel) => funnel.serialize(serializer),
            Self::Retention(retention) => retention.serialize(serializer),
            Self::Realtime(realtime) => realtime.serialize(serializer),
            Self::Timeline(timeline) => timeline.serialize(serializer),
            Self::Named(report) => report.serialize(serializer),
            Self::Catalog(catalog) => catalog.serialize(serializer),
            // It is an answer already.
            Self::Forbidden(_) => serializer.serialize_unit(),
        }
    }
}

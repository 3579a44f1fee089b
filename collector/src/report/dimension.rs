//! The one table of what rows are grouped and filtered by, times apart: the dimensions that are stored, those that are
//! derived from them, and the names that sites give their own.

use quartile_protocol::dimension::Dimension;
use quartile_protocol::row::Row;

/// A dimension of reports. Its values are texts; the empty one is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A dimension as it is stored.
    Stored(Dimension),
    /// How the viewer is known; see [`VIEWER_KINDS`].
    ViewerKind,
}

/// The values of [`Attribute::ViewerKind`]: the first of these dimensions that is known decides.
pub const VIEWER_KINDS: &[(Dimension, &str)] =
    &[(Dimension::User, "known"), (Dimension::Viewer, "stored"), (Dimension::DailyViewer, "daily")];

impl Attribute {
    /// Every attribute that every site has. The ids of viewers and sessions are for counting them only.
    pub fn common() -> impl Iterator<Item = Self> {
        use Dimension as D;
        let hidden = |dimension: &D| matches!(dimension, D::Viewer | D::DailyViewer | D::Session);
        let stored =
            D::ALL.iter().copied().filter(move |dimension| !hidden(dimension) && !D::CUSTOM.contains(dimension));
        stored.map(Self::Stored).chain([Self::ViewerKind])
    }

    /// The name in queries, the site's own apart.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored(dimension) => dimension.name(),
            Self::ViewerKind => "viewer_kind",
        }
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Stored(dimension) => dimension.doc(),
            Self::ViewerKind => {
                "How the viewer is known: `known` (a user), `stored` (an id in the browser) or `daily` (a hash of the day)."
            }
        }
    }

    /// The stored dimensions that it is made of.
    #[must_use]
    pub fn inputs(self) -> Vec<Dimension> {
        match self {
            Self::Stored(dimension) => vec![dimension],
            Self::ViewerKind => VIEWER_KINDS.iter().map(|(dimension, _)| *dimension).collect(),
        }
    }

    /// Its value in a slice.
    #[must_use]
    pub fn of(self, row: &Row) -> &str {
        match self {
            Self::Stored(dimension) => &row.dimensions[dimension],
            Self::ViewerKind => {
                let known = |(dimension, _): &&(Dimension, _)| !row.dimensions[*dimension].is_empty();
                VIEWER_KINDS.iter().find(known).map_or("", |(_, kind)| kind)
            }
        }
    }

    /// Whether it says how a view ended or failed: known in one slice of a view only.
    #[must_use]
    pub const fn is_outcome(self) -> bool {
        matches!(self, Self::Stored(Dimension::StopReason | Dimension::ErrorCode | Dimension::ErrorPhase))
    }
}

/// The names of a site's own dimensions, in the order of the columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(Vec<String>);

impl Names {
    /// What the site calls them. A name beyond the last column, or one that every site has, names nothing.
    #[must_use]
    pub fn new(own: &[String]) -> Self {
        Self(own.iter().take(Dimension::CUSTOM.len()).cloned().collect())
    }

    /// Every attribute of the site with its name.
    pub fn all(&self) -> impl Iterator<Item = (Attribute, &str)> {
        let common = Attribute::common().map(|attribute| (attribute, attribute.name()));
        let own = Dimension::CUSTOM
            .iter()
            .zip(&self.0)
            .map(|(dimension, name)| (Attribute::Stored(*dimension), name.as_str()));
        common.chain(own)
    }

    /// The attribute with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Attribute> {
        self.all().find(|(_, known)| *known == name).map(|(attribute, _)| attribute)
    }

    /// What the site calls an attribute.
    #[must_use]
    pub fn of(&self, attribute: Attribute) -> &str {
        self.all().find(|(known, _)| *known == attribute).map_or(attribute.name(), |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_names_its_own_and_cannot_rename_another() {
        let names = Names::new(&["plan".into(), "device".into(), "tier".into()]);
        assert_eq!(names.find("plan"), Some(Attribute::Stored(Dimension::Custom1)));
        assert_eq!(names.find("device"), Some(Attribute::Stored(Dimension::Device)));
        assert_eq!(names.of(Attribute::Stored(Dimension::Custom3)), "tier");
        for hidden in ["custom_1", "custom_4", "viewer", "daily_viewer", "session", ""] {
            assert_eq!(names.find(hidden), None, "{hidden}");
        }
        let many: Vec<_> = (0..11).map(|n| format!("own{n}")).collect();
        assert_eq!(Names::new(&many).find("own9"), Some(Attribute::Stored(Dimension::Custom10)));
        assert_eq!(Names::new(&many).find("own10"), None);
    }

    #[test]
    fn every_name_leads_back() {
        for attribute in Attribute::common() {
            assert_eq!(Names::default().find(attribute.name()), Some(attribute));
            assert!(!attribute.doc().is_empty() && !attribute.inputs().is_empty());
        }
    }
}

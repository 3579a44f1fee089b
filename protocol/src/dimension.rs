//! What a stored slice can be grouped and filtered by: the one table of dimensions, and how their values merge.

use core::ops::Index;

macro_rules! dimensions {
    ($([$($(#[doc = $doc:literal])+ $member:ident = $name:literal),+ $(,)?])+) => {
        /// One dimension of a stored slice.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Dimension { $($($(#[doc = $doc])+ $member,)+)+ }

        impl Dimension {
            /// Every dimension, in the order of the columns.
            pub const ALL: &'static [Self] = &[$($(Self::$member),+),+];

            /// The dimensions that are one value, each set in the order in which it is compared.
            pub const GROUPS: &'static [&'static [Self]] = &[$(&[$(Self::$member),+]),+];

            /// The name in reports and of the column.
            #[must_use]
            pub const fn name(self) -> &'static str {
                const NAMES: &[&str] = &[$($($name),+),+];
                NAMES[self as usize]
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $($(Self::$member => concat!($($doc),+).trim_ascii_start()),+),+ }
            }

            /// The dimension with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($($name => Some(Self::$member),)+)+ _ => None }
            }
        }
    };
}

// Each bracket is one value: its members are compared and taken together, so that no merge invents a pair that nobody saw.
dimensions! {
    [ /// The site's id of the video.
      Video = "video" ]
    [ /// The video's title.
      VideoTitle = "video_title" ]
    [ /// The series that the video belongs to.
      Series = "series" ]
    [ /// The video's category.
      Category = "category" ]
    [ /// `vod` or `live`.
      Kind = "kind" ]
    [ /// `video` or `audio`.
      Media = "media" ]
    [ /// The player's name.
      Player = "player" ]
    [ /// The player's version.
      PlayerVersion = "player_version" ]
    [ /// The streaming engine and its version.
      Engine = "engine" ]
    [ /// `hls`, `dash`, `progressive` or `other`.
      Protocol = "protocol" ]
    [ /// `desktop`, `mobile`, `tablet`, `tv`, `console`, `wearable` or `other`.
      Device = "device",
      /// Who made the device.
      DeviceVendor = "device_vendor",
      /// The device's model.
      DeviceModel = "device_model" ]
    [ /// The operating system.
      Os = "os",
      /// The operating system's version.
      OsVersion = "os_version" ]
    [ /// The browser.
      Browser = "browser",
      /// The browser's major version.
      BrowserVersion = "browser_version" ]
    [ /// ISO 3166-1 alpha-2 code of the country.
      Country = "country",
      /// Region or state.
      Region = "region",
      /// City.
      City = "city",
      /// Internet service provider.
      Isp = "isp" ]
    [ /// The page's host.
      Domain = "domain" ]
    [ /// The page's path, without query and fragment.
      Page = "page" ]
    [ /// The host that referred to the page.
      ReferrerDomain = "referrer_domain" ]
    [ /// The application that the site names.
      Application = "application" ]
    [ /// The browser's language.
      Language = "language" ]
    [ /// The connection's effective type: `4g`, …
      Connection = "connection" ]
    [ /// Whether playback was to start by itself: `true` or `false`.
      Autoplay = "autoplay" ]
    [ /// Whether playback started without sound: `true` or `false`.
      MutedStart = "muted_start" ]
    [ /// The user that the site knows.
      User = "user" ]
    [ /// The viewer's stored id, where storage is allowed.
      Viewer = "viewer" ]
    [ /// The salted hash of the day that stands for a viewer without an id.
      DailyViewer = "daily_viewer" ]
    [ /// The session.
      Session = "session" ]
    [ /// The site's first custom dimension.
      Custom1 = "custom_1" ]
    [ /// The site's second custom dimension.
      Custom2 = "custom_2" ]
    [ /// The site's third custom dimension.
      Custom3 = "custom_3" ]
    [ /// The site's fourth custom dimension.
      Custom4 = "custom_4" ]
    [ /// The site's fifth custom dimension.
      Custom5 = "custom_5" ]
    [ /// The site's sixth custom dimension.
      Custom6 = "custom_6" ]
    [ /// The site's seventh custom dimension.
      Custom7 = "custom_7" ]
    [ /// The site's eighth custom dimension.
      Custom8 = "custom_8" ]
    [ /// The site's ninth custom dimension.
      Custom9 = "custom_9" ]
    [ /// The site's tenth custom dimension.
      Custom10 = "custom_10" ]
    [ /// The content delivery network that served the media.
      Cdn = "cdn" ]
    [ /// Campaign source of the page's address.
      UtmSource = "utm_source" ]
    [ /// Campaign medium of the page's address.
      UtmMedium = "utm_medium" ]
    [ /// Campaign name of the page's address.
      UtmCampaign = "utm_campaign" ]
    [ /// The name of a known bot.
      Bot = "bot" ]
    [ /// The front door that the row came through: `sdk`, `api`.
      Source = "source" ]
    [ /// The sender's software and version.
      Sdk = "sdk" ]
    [ /// Why the view ended; in one slice of a view.
      StopReason = "stop_reason" ]
    [ /// The code of the slice's error; in the slice of the error only.
      ErrorCode = "error_code",
      /// When the error struck: `before_play`, `before_first_frame`, `mid_stream`.
      ErrorPhase = "error_phase" ]
}

/// The number of dimensions.
pub const DIMENSIONS: usize = Dimension::ALL.len();

/// A value for each [`Dimension`]; the empty text is *unknown*, and less than any other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dimensions([Box<str>; DIMENSIONS]);

impl Default for Dimensions {
    fn default() -> Self {
        Self(core::array::from_fn(|_| Box::default()))
    }
}

impl Index<Dimension> for Dimensions {
    type Output = str;
    fn index(&self, dimension: Dimension) -> &str {
        &self.0[dimension as usize]
    }
}

impl Dimension {
    /// A site's own dimensions, in the order of the columns.
    pub const CUSTOM: [Self; 10] = [
        Self::Custom1,
        Self::Custom2,
        Self::Custom3,
        Self::Custom4,
        Self::Custom5,
        Self::Custom6,
        Self::Custom7,
        Self::Custom8,
        Self::Custom9,
        Self::Custom10,
    ];
}

impl Dimensions {
    /// Sets a value; the empty text makes it unknown again.
    pub fn set(&mut self, dimension: Dimension, value: impl Into<Box<str>>) {
        self.0[dimension as usize] = value.into();
    }

    /// The dimensions that are known, in the order of the columns.
    pub fn known(&self) -> impl Iterator<Item = (Dimension, &str)> + '_ {
        Dimension::ALL.iter().map(|&dimension| (dimension, &self[dimension])).filter(|(_, value)| !value.is_empty())
    }

    /// Takes the larger value of each group, compared member by member in the bytes of UTF-8.
    pub fn join(&mut self, other: &Self) {
        for group in Dimension::GROUPS {
            let (first, last) = (group[0] as usize, group[group.len() - 1] as usize);
            if other.0[first..=last] > self.0[first..=last] {
                self.0[first..=last].clone_from_slice(&other.0[first..=last]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_groups_hold_every_dimension_in_order() {
        for &dimension in Dimension::ALL {
            assert_eq!(Dimension::from_name(dimension.name()), Some(dimension));
        }
        let grouped: Vec<_> = Dimension::GROUPS.iter().flat_map(|group| group.iter().copied()).collect();
        assert_eq!(grouped, Dimension::ALL);
    }

    #[test]
    fn a_merge_never_pairs_a_country_with_another_ones_city() {
        let at = |country: &str, city: &str| {
            let mut dimensions = Dimensions::default();
            dimensions.set(Dimension::Country, country);
            dimensions.set(Dimension::City, city);
            dimensions
        };
        let mut merged = at("FR", "Paris");
        merged.join(&at("DE", "Wuppertal"));
        assert_eq!(merged, at("FR", "Paris"));
        merged.join(&at("FR", ""));
        assert_eq!(merged, at("FR", "Paris"));
    }
}

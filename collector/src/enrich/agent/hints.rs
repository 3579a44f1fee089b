//! What a page passes on of its device: user-agent client hints, and the number of points that can touch its screen.

use quartile_protocol::batch::Client;

use super::{Agent, Device, kind, version};

impl Agent {
    /// This device as its page describes it: where the page says more than the user agent, the page is right.
    #[must_use]
    pub fn with_hints(&self, client: &Client) -> Self {
        let mut agent = self.clone();
        if client.platform.is_empty() {
            agent.unmask_ipad(client);
        } else {
            agent.take_platform(client);
        }
        if !client.model.is_empty() {
            agent.model.clone_from(&client.model);
            agent.name_maker();
        }
        agent.take_mobility(client);
        agent
    }

    /// An iPad asks for desktop pages by calling itself a Mac; no Mac has a touch screen. Safari sends no hints.
    fn unmask_ipad(&mut self, client: &Client) {
        if self.os == "macOS" && client.touch_points.is_some_and(|points| points > 1) {
            self.device = Some(Device::Tablet);
            self.model = "iPad".into();
            self.os = "iOS".into();
            self.os_version = kind::ios_of_safari(&self.browser, &self.browser_version).into();
        }
    }

    fn take_platform(&mut self, client: &Client) {
        let os = match client.platform.as_str() {
            "Mac OS X" => "macOS",
            "Chromium OS" => "Chrome OS",
            "Unknown" => return,
            other => other,
        };
        // A television's Linux or Android is not told better by the name underneath.
        let underneath = matches!(os, "Linux" | "Android") && !matches!(self.os.as_str(), "" | "Linux" | "Android");
        if underneath {
            return;
        }
        if self.os != os {
            self.os = os.into();
            self.os_version.clear();
        }
        let told = platform_version(os, &client.platform_version);
        if !told.is_empty() {
            self.os_version = told;
        }
    }

    fn take_mobility(&mut self, client: &Client) {
        let on_android = self.os == "Android";
        match (client.mobile, self.device) {
            (Some(true), Some(Device::Tablet | Device::Desktop | Device::Other)) if on_android => {
                self.device = Some(Device::Mobile);
            }
            (Some(false), Some(Device::Mobile)) if on_android => self.device = Some(Device::Tablet),
            _ => {}
        }
    }
}

/// The version that people know. Windows counts its platform on: from 13 on it is Windows 11.
/// <https://learn.microsoft.com/microsoft-edge/web-platform/how-to-detect-win11>
fn platform_version(os: &str, told: &str) -> String {
    let mut numbers = told.split('.');
    let (major, minor) = (numbers.next().filter(|major| !major.is_empty()), numbers.next());
    if os != "Windows" {
        return version(major, minor);
    }
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(13..) => "11".into(),
        Some(1..) => "10".into(),
        _ => String::new(),
    }
}

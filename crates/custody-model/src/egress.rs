//! Where conversations may be sent: a slip in an address must not send one anywhere.

use url::{Host, Url};

/// Which addresses a model may be called on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Egress<'a> {
    /// Hosts that may be called, besides this machine.
    pub(crate) hosts: &'a [String],
    /// Whether `http` may leave this machine.
    pub(crate) plaintext: bool,
}

impl Egress<'_> {
    /// Reads an address and adds what is wrong with it. `key` is the setting that holds it, `example` one that would do.
    pub(crate) fn read(&self, key: &str, shown: &str, example: &str, mistakes: &mut Vec<String>) -> Option<Url> {
        let Ok(url) = Url::parse(shown) else {
            mistakes.push(format!("{key}: `{shown}` is not a URL: use one like `{example}`"));
            return None;
        };
        // A URL with a password in it must not be shown, so this mistake names none.
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            mistakes.push(format!("{key}: must have no user, password, query or fragment"));
            return None;
        }
        self.check(key, &url, mistakes);
        Some(url)
    }

    fn check(&self, key: &str, url: &Url, mistakes: &mut Vec<String>) {
        let Some(host) = url.host() else {
            return mistakes.push(format!("{key}: `{url}` names no host"));
        };
        let local = is_loopback(&host);
        match url.scheme() {
            "https" => {}
            "http" if local || self.plaintext => {}
            "http" => mistakes.push(format!("{key}: `{url}` is plain http to another machine: use https, or set allow_plaintext = true")),
            other => mistakes.push(format!("{key}: scheme `{other}` can't be called: use https")),
        }
        let listed = self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&host.to_string()));
        if !local && !listed {
            mistakes.push(format!("egress_hosts: `{host}` is not listed: add it if conversations may be sent there"));
        }
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

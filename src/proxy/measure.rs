//! What is in flight, and for how long it was.

use super::connection::client::Client;
use super::table::Site;
use http::StatusCode;
use std::rc::Rc;
use std::time::Instant;

/// A request or byte stream in flight, until its last byte is handed to the client's socket or it is given
/// up: both are the moment in which this is dropped.
pub struct Flight {
    client: Rc<Client>,
    site: Rc<Site>,
    since: Instant,
    status: Option<StatusCode>,
}

impl Flight {
    pub fn begin(client: Rc<Client>, site: Rc<Site>) -> Self {
        client.activity.begin_request();
        client.core().counters.in_flight.add(1);
        client.tally.in_flight.add(1);
        Self { client, site, since: Instant::now(), status: None }
    }

    /// The response broke off.
    pub fn broke_off(&self) {
        self.client.activity.broke_off();
    }

    pub fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let core = self.client.core();
        core.counters.in_flight.subtract(1);
        self.client.tally.in_flight.subtract(1);
        self.client.activity.end_request(core.clock.now());
        if let Some(status) = self.status {
            self.site.counters.request(status, self.since.elapsed());
        }
    }
}

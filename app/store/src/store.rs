use std::{fs::File, sync::Arc};

use crate::{
    event_books::EventBooks, event_log::EventLog, leases::Leases, lookup::Lookup, queries::Queries,
    recovery::Recovery, reporting::Reporting, reports::Reports, sales::Sales, sql::Pool,
    tables::Tables, webhooks::Webhooks, writer::Writer,
};

/// Durable state of a gateway. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    tables: Tables,
    writer: Writer,
    queries: Queries,
    lookup: Lookup,
    sales: Sales,
    reports: Reports,
    reporting: Reporting,
    event_books: EventBooks,
    event_log: EventLog,
    webhooks: Webhooks,
    recovery: Recovery,
    leases: Option<Arc<Leases>>,
    /// Lock of the file while it is open.
    _lock: Option<Arc<File>>,
}

impl Store {
    pub(crate) fn new(
        readers: Pool,
        reporters: Pool,
        tellers: Pool,
        writer: Writer,
        leases: Option<Leases>,
        lock: Option<File>,
    ) -> Self {
        let tables = Tables::new(readers, writer.clone());
        let queries = Queries::new(tables.clone());
        Self {
            lookup: Lookup::new(tables.clone()),
            sales: Sales::new(tables.clone()),
            reports: Reports::new(tables.clone()),
            reporting: Reporting::new(Tables::new(reporters, writer.clone())),
            event_books: EventBooks::new(tellers.clone()),
            webhooks: Webhooks::new(tellers.clone()),
            event_log: EventLog::new(tellers),
            recovery: Recovery::new(tables.clone(), queries.clone()),
            queries,
            tables,
            writer,
            leases: leases.map(Arc::new),
            _lock: lock.map(Arc::new),
        }
    }

    /// Returns the queue of writes.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Returns queries of channels and API keys.
    pub fn queries(&self) -> &Queries {
        &self.queries
    }

    /// Returns the lookup of generations.
    pub fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    /// Returns queries of payments to tills.
    pub fn sales(&self) -> &Sales {
        &self.sales
    }

    /// Returns sums over generations.
    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    /// Returns reads on behalf of clients, which are limited in time and have connections of their
    /// own.
    pub fn reporting(&self) -> &Reporting {
        &self.reporting
    }

    /// Returns what events are made of.
    pub fn event_books(&self) -> &EventBooks {
        &self.event_books
    }

    /// Returns the events that were told.
    pub fn event_log(&self) -> &EventLog {
        &self.event_log
    }

    /// Returns the webhooks of persons, and their deliveries.
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// Returns the recovery of channels.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Returns the leases of this process, or `None` for a file, which has one process.
    pub fn leases(&self) -> Option<&Leases> {
        self.leases.as_deref()
    }

    /// Writes what is queued, releases all leases and closes the store.
    pub async fn close(&self) {
        self.writer.stop().await;
        if let Some(leases) = &self.leases {
            leases.close().await;
        }
        self.event_log.close().await;
        self.reporting.close().await;
        self.tables.close().await;
    }
}

//! Events of this gateway's books: what payers have signed for, and what has settled.

use motif_sdk::gateway::wire::{Address, Amount, Event, EventKind};

use super::{id::id, readers::Readers};
use crate::store::{ChannelNews, ToldEvent};

/// Returns the events of what is new of a channel: one for each work and statement.
pub fn events(news: &ChannelNews, readers: &Readers) -> Vec<ToldEvent> {
    let header = &news.account.channel;
    let (address, opened) = (news.address.to_bytes(), header.opened_slot.to_le_bytes());
    let of_channel = |event: Event, statement: u64, prices: u64| Event {
        channel: Some(Address(news.address)),
        statement: Some(statement),
        amount: Some(Amount(prices)),
        currency: Some(Address(header.mint)),
        person: Some(Address(header.payer)),
        ..event
    };
    let paid = news.uses.iter().map(|new| {
        let (statement, position) = (new.statement.to_le_bytes(), new.position.to_le_bytes());
        let work = new.work.to_bytes();
        let id = id("paid", &[&address, &opened, &statement, &work, &position]);
        let event = Event {
            work: Some(Address(new.work)),
            generations: Some(new.generations),
            ..Event::new(id, new.at, EventKind::Paid)
        };
        let mut allowed = readers.of_work(&new.work);
        allowed.push(address);
        ToldEvent { event: of_channel(event, new.statement, new.prices), readers: allowed }
    });
    let settled = news.settled.iter().map(|new| {
        let (statement, work) = (new.statement.to_le_bytes(), new.work.unwrap_or_default());
        let id = id("settled", &[&address, &opened, &statement, &work.to_bytes()]);
        let event = Event {
            work: new.work.map(Address),
            generations: new.work.map(|_| new.generations),
            ..Event::new(id, new.at, EventKind::Settled)
        };
        let mut allowed = new.work.map(|work| readers.of_work(&work)).unwrap_or_default();
        allowed.extend([address, header.payer.to_bytes()]);
        ToldEvent { event: of_channel(event, new.statement, new.prices), readers: allowed }
    });
    paid.chain(settled).collect()
}

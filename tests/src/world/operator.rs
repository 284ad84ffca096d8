use motif_sdk::{
    operator::{self, Operator, OperatorKey, OperatorTerms, RegisterOperatorArgs},
    pda,
};

use super::{Call, Person, World};

/// An operator about to be registered: by default with one key for everything, no fee, and any
/// grace period.
pub struct OperatorBuilder<'w> {
    world: &'w mut World,
    authority: Person,
    args: RegisterOperatorArgs,
}

impl OperatorBuilder<'_> {
    /// With another settle key.
    pub fn settling(mut self, person: &Person) -> Self {
        self.args.settle_key = person.key();
        self
    }

    /// With another receipt key.
    pub fn receipting(mut self, person: &Person) -> Self {
        self.args.receipt_key = person.key();
        self
    }

    /// With anything else changed.
    pub fn with(mut self, change: impl FnOnce(&mut OperatorTerms)) -> Self {
        change(&mut self.args.terms);
        self
    }

    /// The call that registers it. The host pays.
    pub fn call(self) -> Call {
        let (host, authority) = (self.world.host.clone(), self.authority);
        let register = operator::register(&host.key(), &authority.key(), self.args);
        Call::new([register], &[&host, &authority])
    }

    /// Registers it.
    #[track_caller]
    pub fn register(self) -> Person {
        let (world, authority, host) = (self.world, self.authority, Person::numbered(0));
        let register = operator::register(&host.key(), &authority.key(), self.args);
        world.send(Call::new([register], &[&host, &authority])).assert_ok();
        authority
    }
}

impl World {
    /// Begins to register an operator under this authority.
    pub fn operator(&mut self, authority: &Person) -> OperatorBuilder<'_> {
        let args = RegisterOperatorArgs::single(authority.key());
        OperatorBuilder { world: self, authority: authority.clone(), args }
    }

    /// Registers an operator with one key for everything, unless it is registered.
    pub fn register_operator(&mut self, authority: &Person) {
        if self.find(&pda::operator(&authority.key())).is_none() {
            self.operator(authority).register();
        }
    }

    /// An operator as it stands on chain.
    pub fn read_operator(&self, authority: &Person) -> Operator {
        let account = self.account(&pda::operator(&authority.key()));
        anchor_lang::AccountDeserialize::try_deserialize(&mut &account.data[..])
            .expect("an operator")
    }

    /// The call that replaces a key of an operator, signed by its authority.
    pub fn rotating_key(&self, authority: &Person, key: OperatorKey, new_key: &Person) -> Call {
        let rotate = operator::rotate_key(&authority.key(), key, new_key.key());
        Call::new([rotate], &[authority])
    }

    /// The call that changes an operator's conditions, signed by its authority.
    pub fn updating_operator(&self, authority: &Person, terms: OperatorTerms) -> Call {
        Call::new([operator::update(&authority.key(), terms)], &[authority])
    }
}

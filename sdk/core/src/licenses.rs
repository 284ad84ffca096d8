//! Charges of licenses.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::channel::License;
use motif_json::object;
use motif_payer_calls::{
    Calls, Payers,
    parts::LicenseParts,
    prices::{Priced, priced},
};

pub(crate) const CALLS: Calls = &[("license.charge", charge)];

/// Charges a license by the program's code; adds the operator's fee on the price.
fn charge(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        license: LicenseParts,
        units: u32,
        now: i64,
        operator_fee_bps: u16 = 0,
    });
    let mut charged = License::from(&license);
    let charge = charged.charge(units, now).map_err(|error| {
        CallError::new("license-refuses", error).with("reason", &error.to_string())
    })?;
    let Priced { price, fee, total } = priced(charge.price, operator_fee_bps)?;
    let license = LicenseParts::from(&charged);
    Ok(Answer::of(&object! { "price": price, "fee": fee, "total": total, "license": license }))
}

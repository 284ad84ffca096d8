use anchor_lang::prelude::*;
use motif_interface::payments::{Operator, OperatorTerms, PaymentsError};

use crate::event::OperatorUpdated;

#[derive(Accounts)]
pub struct UpdateOperator<'info> {
    pub authority: Signer<'info>,

    #[account(mut, has_one = authority @ PaymentsError::NotOperator)]
    pub operator: Box<Account<'info, Operator>>,
}

pub fn handle_update_operator(ctx: Context<UpdateOperator>, terms: OperatorTerms) -> Result<()> {
    let operator = &mut ctx.accounts.operator;
    operator.update(terms)?;
    emit!(OperatorUpdated {
        authority: operator.authority,
        fee_bps: operator.fee_bps,
        min_grace_seconds: operator.min_grace_seconds,
        fee_owner: operator.fee_owner,
        url: operator.url.clone(),
    });
    Ok(())
}

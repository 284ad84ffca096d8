use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::AssociatedToken,
    metadata::{
        CreateMasterEditionV3, CreateMetadataAccountsV3, Metadata, SignMetadata,
        create_master_edition_v3, create_metadata_accounts_v3, mpl_token_metadata::types::DataV2,
        sign_metadata,
    },
    token::{Mint, MintTo, Token, TokenAccount, mint_to},
};
use motif_interface::licensing::{CERTIFICATE_SEED, LicensingError, Work};

use crate::{certificate, event::CertificateIssued};

#[derive(Accounts)]
pub struct IssueCertificate<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,

    #[account(mut, has_one = owner @ LicensingError::NotOwner)]
    pub work: Box<Account<'info, Work>>,

    #[account(
        init,
        payer = owner,
        seeds = [CERTIFICATE_SEED, work.key().as_ref()],
        bump,
        mint::decimals = 0,
        mint::authority = work,
        mint::freeze_authority = work,
    )]
    pub mint: Box<Account<'info, Mint>>,

    #[account(
        init,
        payer = owner,
        associated_token::mint = mint,
        associated_token::authority = owner,
    )]
    pub owner_tokens: Box<Account<'info, TokenAccount>>,

    /// CHECK: Token Metadata checks its address, which is derived from the mint.
    #[account(mut)]
    pub metadata: UncheckedAccount<'info>,

    /// CHECK: Token Metadata checks its address, which is derived from the mint.
    #[account(mut)]
    pub edition: UncheckedAccount<'info>,

    pub token_metadata_program: Program<'info, Metadata>,
    pub token_program: Program<'info, Token>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

// Neither this nor the steps below are inlined: a stack frame holds 4 KiB.
#[inline(never)]
pub fn handle_issue_certificate(ctx: Context<IssueCertificate>, name: String) -> Result<()> {
    ctx.accounts.work.require_undisputed()?;
    let named = (1..=certificate::MAX_NAME_BYTES).contains(&name.len());
    require!(named, LicensingError::InvalidCertificateName);
    ctx.accounts.mint_one()?;
    ctx.accounts.create_metadata(name)?;
    ctx.accounts.create_edition()?;
    ctx.accounts.sign_metadata()?;

    let (work, mint) = (ctx.accounts.work.key(), ctx.accounts.mint.key());
    ctx.accounts.work.certificate = Some(mint);
    emit!(CertificateIssued { work, mint });
    Ok(())
}

impl<'info> IssueCertificate<'info> {
    #[inline(never)]
    fn mint_one(&self) -> Result<()> {
        let accounts = MintTo {
            mint: self.mint.to_account_info(),
            to: self.owner_tokens.to_account_info(),
            authority: self.work.to_account_info(),
        };
        self.as_work(self.token_program.key(), accounts, |cpi| mint_to(cpi, 1))
    }

    #[inline(never)]
    fn create_metadata(&self, name: String) -> Result<()> {
        let data = DataV2 {
            name,
            symbol: certificate::SYMBOL.to_owned(),
            uri: self.work.metadata_uri.clone(),
            seller_fee_basis_points: 0,
            creators: Some(certificate::creators(&self.work)),
            collection: None,
            uses: None,
        };
        let accounts = CreateMetadataAccountsV3 {
            metadata: self.metadata.to_account_info(),
            mint: self.mint.to_account_info(),
            mint_authority: self.work.to_account_info(),
            payer: self.owner.to_account_info(),
            update_authority: self.work.to_account_info(),
            system_program: self.system_program.to_account_info(),
            rent: self.system_program.to_account_info(), // no longer read
        };
        let program = self.token_metadata_program.key();
        self.as_work(program, accounts, |cpi| {
            create_metadata_accounts_v3(cpi, data, true, true, None)
        })
    }

    #[inline(never)]
    fn create_edition(&self) -> Result<()> {
        let accounts = CreateMasterEditionV3 {
            edition: self.edition.to_account_info(),
            mint: self.mint.to_account_info(),
            update_authority: self.work.to_account_info(),
            mint_authority: self.work.to_account_info(),
            payer: self.owner.to_account_info(),
            metadata: self.metadata.to_account_info(),
            token_program: self.token_program.to_account_info(),
            system_program: self.system_program.to_account_info(),
            rent: self.system_program.to_account_info(), // no longer read
        };
        let program = self.token_metadata_program.key();
        self.as_work(program, accounts, |cpi| create_master_edition_v3(cpi, Some(0)))
    }

    /// Verifies the creator in the metadata, if the creator is the owner and so signs.
    #[inline(never)]
    fn sign_metadata(&self) -> Result<()> {
        if self.work.creator != self.owner.key() {
            return Ok(());
        }
        let accounts = SignMetadata {
            creator: self.owner.to_account_info(),
            metadata: self.metadata.to_account_info(),
        };
        sign_metadata(CpiContext::new(self.token_metadata_program.key(), accounts))
    }

    /// Calls another program, signed by the work's address.
    fn as_work<T>(
        &self,
        program: Pubkey,
        accounts: T,
        call: impl FnOnce(CpiContext<'_, '_, '_, 'info, T>) -> Result<()>,
    ) -> Result<()>
    where
        T: ToAccountMetas + ToAccountInfos<'info>,
    {
        let work = &self.work;
        let seeds: [&[u8]; 4] =
            [Work::SEED, work.creator.as_ref(), &work.content_digest, &[work.bump]];
        call(CpiContext::new_with_signer(program, accounts, &[&seeds]))
    }
}

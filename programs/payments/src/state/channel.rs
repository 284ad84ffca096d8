use std::cell::RefMut;

use anchor_lang::prelude::*;
use motif_interface::payments::{Channel, License, PaymentsError};

/// Mutable borrow of a channel's account: header and licenses.
pub struct ChannelMut<'a> {
    pub channel: RefMut<'a, Channel>,
    pub licenses: RefMut<'a, [License]>,
}

impl<'a> ChannelMut<'a> {
    /// Borrows an account that Anchor has checked to be a channel of this program.
    #[inline(always)]
    pub fn open(account: &'a AccountLoader<'_, Channel>) -> Result<Self> {
        let data = account.as_ref().try_borrow_mut_data()?;
        require!(data.len() >= Channel::HEADER_SPACE, PaymentsError::InvalidChannelData);
        let license_bytes = data.len() - Channel::HEADER_SPACE;
        require!(license_bytes.is_multiple_of(License::SIZE), PaymentsError::InvalidChannelData);
        let (channel, licenses) = RefMut::map_split(data, |data| {
            let (_, body) = data.split_at_mut(Channel::DISCRIMINATOR.len());
            let (header, licenses) = body.split_at_mut(size_of::<Channel>());
            (bytemuck::from_bytes_mut(header), bytemuck::cast_slice_mut(licenses))
        });
        Ok(Self { channel, licenses })
    }
}

-- Receipts of the same moment are signed together: the operator signs the root of a small tree.

-- The way from a receipt to the root that was signed: a byte that says bit by bit, lowest first, on
-- which side each sibling stands, and the siblings, 32 bytes each. NULL where the receipt itself
-- was signed.
ALTER TABLE generations ADD COLUMN receipt_bundle BLOB CHECK (length(receipt_bundle) > 32);

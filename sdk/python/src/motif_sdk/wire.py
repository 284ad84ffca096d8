"""JSON of gateways, written by `sdk/python/wire.py` from `app/gateway/openapi.json`.

Amounts are decimal strings, addresses base58, digests and signatures hexadecimal, times unix seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

Address = str
"""Public key, base58."""
Amount = str
"""Base units of a mint, as a string of decimal digits."""
CredentialsState = Literal["intact", "altered", "invalid", "unreadable"]
"""Whether a file and its manifest are as they were signed."""
Digest = str
"""SHA-256 digest, 64 hexadecimal digits."""
Origin = Literal["registered", "generated"]
"""Origin of content."""
ReceiptStanding = Literal["settled", "signed", "other-output", "false", "channel-gone", "other-cluster"]
"""Validity of a receipt in credentials."""
SignatureHex = str
"""Ed25519 signature, 128 hexadecimal digits."""
Unit = Literal["generation", "second", "thousand-tokens", "training-run"]
"""Unit in which a use is counted. Stored as one byte, in this order: append only."""
UsageBy = Literal["work", "day", "platform", "channel", "api-key"]
"""Grouping of a usage report."""
Use = Literal["generate", "style-transfer", "voice-convert", "train", "fine-tune", "play"]
"""Use of a work. Stored as one byte, in this order: append only."""
WorkKind = Literal["image", "recording", "voice", "text", "video", "dataset", "style-model"]
"""Kind of a work. Stored as one byte, in this order: append only."""
WorkStanding = Literal["confirmed", "licensed", "claimed", "other-content", "unknown"]
"""Relation of a named work to content."""
WorkStatus = Literal["active", "withdrawn", "disputed"]
"""Status of a work. Stored as one byte, in this order: append only."""


class AlikeWork(TypedDict):
    """Work with similar content."""

    copies_per_mille: NotRequired[int | None]
    """Measured number of 1,000 modified copies within this distance; `null` for schemes that are no longer
    registered."""
    distance: int
    """Distance of the fingerprints."""
    distance_at_most: int
    """Maximum distance of the scheme."""
    scheme: int
    """Number of the fingerprint scheme."""
    strangers_per_billion: NotRequired[int | None]
    """Measured maximum number of 1,000,000,000 unrelated works within this distance. Deliberate collisions are
    not counted."""
    work: WorkFacts
    """The work."""


class Authentication(TypedDict):
    """Result of content authentication: owners, terms and receipts."""

    alike: list[AlikeWork]
    """Works with similar content, nearest first. A match is a hint, never proof."""
    conflict: bool
    """Whether the content was registered more than once."""
    credentials: NotRequired[CredentialsFacts | None]
    """Content credentials (C2PA) and the result of checking them; `null` if the content carries none or was not
    sent."""
    digest: Digest
    """SHA-256 of the content."""
    exact: list[WorkFacts]
    """Works with exactly this content, with or without its credentials, earliest registration first. A match
    proves identity."""
    first_unknown: bool
    """Whether several registrations share the earliest second, so that their order is unknown; they are then in
    the order of their addresses."""
    media_type: NotRequired[str | None]
    """Media type, detected from the content; `null` if only fingerprints were sent."""
    read_at: int
    """Unix second of the index's last read from the chain."""
    receipts: list[OutputReceipt]
    """Receipts of generations with exactly this output, with or without its credentials, earliest first."""
    truncated: bool
    """Whether there are more matches than are listed."""
    unreadable: NotRequired[str | None]
    """Reason why similar works were not searched; `null` if they were."""
    works: int
    """Number of works in the index."""


class ChannelState(TypedDict):
    """State of a channel at its gateway."""

    available: Amount
    """Balance available for generations."""
    channel: Address
    """Address of the channel."""
    closes_at: NotRequired[int | None]
    """Unix second from which nothing settles; `null` while the channel is open."""
    cluster: Digest
    """Cluster tag of its vouchers."""
    cumulative: Amount
    """Total of the newest voucher since opening, settled or not."""
    deposited: Amount
    """Deposits since opening."""
    grace_seconds: int
    """Time between the start of closing and the last settlement."""
    licenses: list[LicenseState]
    """Licenses, by index."""
    mint: Address
    """Mint of all amounts."""
    open: StatementState
    """Statement of the next generation."""
    opened_slot: int
    """Slot of opening, which distinguishes channels at the same address."""
    operator: Address
    """Authority of the operator that meters and settles the channel."""
    operator_fee_bps: int
    """Operator's fee, in addition to prices."""
    payer: Address
    """Key that funds the channel."""
    unsettled: list[StatementState]
    """Closed statements that are not settled yet, oldest first."""
    upfront_fees: Amount
    """Fees charged at acceptance."""
    voucher_key: Address
    """Key that signs vouchers."""


class Closing(TypedDict):
    """Result of closing a channel. Its payer can withdraw at once."""

    closes_at: int
    """Unix second from which nothing settles."""
    compute_units: int
    """Compute units used."""
    fee_lamports: int
    """Transaction fee, lamports."""
    settlements: list[SettlementReport]
    """Statements settled before closing, oldest first."""
    signature: NotRequired[str | None]
    """Signature of the closing transaction, base58; `null` if the grace period was over."""


class ConsentFacts(TypedDict):
    """Consent of a person."""

    expires_at: NotRequired[int | None]
    """Last unix second of the consent; `null` for no expiry."""
    person: Address
    """Key of the person."""


class CredentialsFacts(TypedDict):
    """Content credentials of a file."""

    bare_digest: Digest
    """SHA-256 of the file without its credentials."""
    faults: list[str]
    """Validation failures, as status codes of the C2PA specification."""
    findings: NotRequired[Findings | None]
    """Result of checking the claims on chain; `null` without claims."""
    provenance: NotRequired[Provenance | None]
    """Claims of the signer; `null` if the credentials are not Motif's."""
    signer: NotRequired[CredentialsSigner | None]
    """Signer; `null` if it cannot be read."""
    state: CredentialsState
    """Whether file and manifest are unchanged since signing."""


class CredentialsSigner(TypedDict):
    """Signer of credentials, from the certificate."""

    algorithm: NotRequired[str | None]
    """Signature algorithm, such as `Es256`."""
    name: NotRequired[str | None]
    """Common name of the certificate."""
    organisation: NotRequired[str | None]
    """Organization of the certificate."""
    trusted: bool
    """Whether the certificate is signed by an anchor that the reader trusts. Otherwise the name is unverified."""


class DisputeFacts(TypedDict):
    """Dispute about a work's ownership."""

    bond_lamports: int
    """Bond of the claimant, lamports."""
    claimant: Address
    """Key that claims the work."""
    deadline: int
    """Last unix second for a verdict."""
    evidence_digest: Digest
    """SHA-256 of the evidence."""
    evidence_uri: str
    """URI of the evidence, which the gateway does not fetch."""
    opened_at: int
    """On-chain unix second of opening."""


class EarningsFacts(TypedDict):
    """Earnings of a work in one currency."""

    currency: Address
    """Mint of the amounts."""
    earned: Amount
    """Total earned."""
    taken: Amount
    """Amount that parents have pulled and recipients have claimed."""


class Findings(TypedDict):
    """Result of checking a provenance against the chain."""

    receipt: NotRequired[ReceiptFinding | None]
    """Result for the receipt; `null` without one."""
    works: list[WorkFinding]
    """Results for the works."""


class HashSibling(TypedDict):
    """Sibling on the Merkle path from a receipt to the root of its bundle."""

    hash: Digest
    """Hash of the node."""
    is_left: bool
    """Whether the sibling is the left child."""


class InheritedFacts(TypedDict):
    """Conditions that parents' terms set on a work's terms."""

    expires_at: NotRequired[int | None]
    """Latest allowed expiry of its terms, unix seconds."""
    non_commercial: bool
    """Whether they must be non-commercial."""
    share_alike: bool
    """Whether they must allow derivatives on the same condition."""


class LicenseState(TypedDict):
    """License on a channel."""

    expires_at: NotRequired[int | None]
    """Last unix second of the license; `null` for no expiry."""
    free_units_left: int
    """Free units left after the last settlement."""
    license: int
    """Index on the channel."""
    price: Amount
    """Price of one unit."""
    settled_units: int
    """Settled units."""
    terms_number: int
    """Version of the work's terms."""
    unit: NotRequired[Unit | None]
    """Unit of the use; `null` if this gateway does not know it."""
    use: NotRequired[Use | None]
    """Licensed use; `null` if this gateway does not know it."""
    work: Address
    """Licensed work."""


class ModelFacts(TypedDict):
    """Details of a style model."""

    base_model: str
    """Name of the adapted model."""
    previous: NotRequired[Address | None]
    """Style model that it replaces."""
    training_root: Digest
    """Merkle root of the training set's content digests."""


class NamedWork(TypedDict):
    """Work named by credentials."""

    content_digest: Digest
    """SHA-256 of the work's content."""
    terms_number: NotRequired[int | None]
    """Version of the terms that was licensed, or was the latest; `null` without terms."""
    work: Address
    """Address of the work."""


class Operator(TypedDict):
    """Operator of a gateway, and its conditions."""

    cluster: Digest
    """Cluster tag of vouchers."""
    licensing_program: Address
    """Licensing program."""
    min_grace_seconds: int
    """Minimum grace period of a channel."""
    min_voucher_seconds: int
    """Minimum remaining validity of a voucher."""
    mints: list[Address]
    """Mints of the channels it serves; empty for all mints."""
    operator: Address
    """Authority of the operator, which a channel names at opening. Its account on chain has the keys that settle
    and sign receipts."""
    operator_fee_bps: int
    """Minimum operator fee of a channel, in addition to prices."""
    payments_program: Address
    """Payments program."""


class OutputReceipt(TypedDict):
    """Receipt for an output."""

    receipt: ReceiptParts
    """Receipt signed by this gateway."""
    settled: bool
    """Whether its statement has settled, so that `/v1/receipts/{receipt}/proof` proves it."""


class PaidRoute(TypedDict):
    """Route behind a paywall."""

    method: str
    """HTTP method."""
    path: str
    """Path, with `{name}` for one segment and `{*name}` for the rest."""
    price_tag: PriceTag
    """Price of the route."""


class PaidRoutes(TypedDict):
    """Routes behind a paywall."""

    routes: list[PaidRoute]
    """Routes, in the order of the operator's file."""


class ParentShare(TypedDict):
    """Share of a parent in a work's earnings."""

    share_bps: int
    """Share of everything that the work earns, basis points."""
    terms_number: int
    """Number of the parent's terms that allowed the derivative; 0 if the parent's owner signed."""
    work: Address
    """Parent."""


class PriceTag(TypedDict):
    """Price and payment conditions of a request behind a paywall."""

    cluster: Digest
    """Cluster tag of vouchers."""
    fixed_units: NotRequired[int | None]
    """Number of units, if it is known in advance."""
    hold_seconds: int
    """Minimum duration of the hold."""
    most_units: int
    """Maximum units of one request, or of one part of a stream."""
    operator: Address
    """Required operator of the channel."""
    quote: Quote
    """Work, use, unit, price and currency."""
    streams: bool
    """Whether the answer is a stream whose parts are paid one by one."""


class PricedUse(TypedDict):
    """Price of one use."""

    price: Amount
    """Price of one unit."""
    unit: Unit
    """Unit of the use."""
    use: Use
    """Use."""


class Provenance(TypedDict):
    """Claims of Motif credentials: an assertion of a C2PA manifest, encoded as CBOR with these field names. A
    signer can write anything into a manifest: check it against the chain and the operator's signature with
    [`super::Findings`]."""

    cluster: Digest
    """Tag of the cluster of all named accounts."""
    content_digest: Digest
    """SHA-256 of the bare content: the file without its credentials."""
    licensing_program: Address
    """Licensing program."""
    origin: Origin
    """Origin of the content."""
    payments_program: Address
    """Payments program."""
    proof: NotRequired[SettlementProof | None]
    """What proves the receipt against the channel's account, where it had settled before the content was signed."""
    receipt: NotRequired[ReceiptParts | None]
    """Receipt of the generation whose output the content is."""
    version: int
    """Version of the layout: 1."""
    works: list[NamedWork]
    """Work that the content is, or works that it was generated with."""


class Quote(TypedDict):
    """Price of a use of a work through this gateway."""

    currency: Address
    """Mint of the amounts."""
    free_units: int
    """Free units of each license."""
    operator_fee_bps: int
    """Operator's fee, in addition to the price, basis points."""
    price: Amount
    """Price of one unit, paid to the creators."""
    price_with_fee: Amount
    """Price of one unit with the fee, rounded up. Fees are floors of totals, so many units cost at most this
    each."""
    terms_digest: Digest
    """Digest that an acceptance of these terms names."""
    terms_number: int
    """Number of the terms."""
    unit: Unit
    """Unit of the use."""
    upfront_fee: Amount
    """Fee charged once at acceptance."""
    use: Use
    """Use."""
    work: Address
    """Work."""


class ReceiptFinding(TypedDict):
    """Result for a receipt."""

    receipt: ReceiptParts
    """Receipt."""
    standing: ReceiptStanding
    """Validity of the receipt."""


class ReceiptParts(TypedDict):
    """Signed receipt."""

    amount: Amount
    """Price of this generation, without the operator's fee."""
    bundle: NotRequired[list[HashSibling]]
    """Siblings on the path from the receipt to the root of its bundle, lowest first; absent if it was signed
    alone."""
    channel: Address
    """Channel that paid."""
    cumulative: Amount
    """Total of the channel with this generation."""
    digest: Digest
    """SHA-256 of the receipt's bytes, which identifies it."""
    issued_at: int
    """Unix second at the gateway."""
    license: int
    """Index of the license on the channel."""
    opened_slot: int
    """Slot of the channel's opening."""
    output_digest: Digest
    """SHA-256 of the output, as stated by the platform."""
    position: int
    """Position in the statement, from 0."""
    request_digest: Digest
    """SHA-256 of the request, as stated by the platform."""
    signature: SignatureHex
    """Signature by the operator, over the receipt's bytes, or over the root of its bundle if it has siblings."""
    statement: int
    """Number of the statement."""
    terms_number: int
    """Version of the work's terms."""
    units: int
    """Units used, including free ones."""
    work: Address
    """Licensed work."""


class ReceiptProofParts(TypedDict):
    """Proof of a settled receipt against its channel's account."""

    range_siblings: list[Digest]
    """Siblings on the path from the record to a peak of the channel's MMR, lowest first."""
    receipt: ReceiptParts
    """Receipt."""
    record: StatementRecordParts
    """Record of the settled statement."""
    siblings: list[SumSibling]
    """Siblings on the path to the root of the statement's receipts, lowest first."""


class RecipientShare(TypedDict):
    """Share of a recipient in a work's earnings."""

    recipient: Address
    """Recipient."""
    share_bps: int
    """Share of what remains after the parents' shares, basis points."""


class RelatedWork(TypedDict):
    """Short description of another work."""

    creator: Address
    """Key that registered the work."""
    kind: WorkKind
    """Kind of content."""
    registered_at: int
    """On-chain unix second of registration."""
    share_bps: NotRequired[int | None]
    """Parent's share of the child's earnings; `null` if the works are not parent and child."""
    status: WorkStatus
    """Status."""
    work: Address
    """Address of the work."""


class SettlementProof(TypedDict):
    """[`ReceiptProof`] without the receipt."""

    range_siblings: list[Digest]
    """Siblings on the path from the record to a peak of the channel's MMR, lowest first."""
    record: StatementRecordParts
    """Record of the settled statement."""
    siblings: list[SumSibling]
    """Siblings on the path to the root of the statement's receipts, lowest first."""


class SettlementReport(TypedDict):
    """Settlement of one statement."""

    compute_units: int
    """Compute units used."""
    cumulative: Amount
    """Prices and fees since the channel opened."""
    fee: Amount
    """Operator's fee."""
    fee_lamports: int
    """Transaction fee, lamports."""
    prices: Amount
    """Sum of the statement's prices."""
    receipts: int
    """Number of receipts that the settlement commits to."""
    signature: str
    """Signature of the transaction, base58."""
    statement: int
    """Number of the statement."""


class Settlements(TypedDict):
    """Settled statements, oldest first."""

    settlements: list[SettlementReport]
    """One entry, and one transaction, for each statement."""


class SplitChangeFacts(TypedDict):
    """Proposed split of a work."""

    awaiting: list[Address]
    """Recipients whose share falls and who have not approved."""
    complete: bool
    """Whether all shares are written."""
    proposer: Address
    """Key that proposes it."""
    split: list[RecipientShare]
    """Proposed shares."""
    split_version: int
    """Version of the split that it replaces."""


class StatementEntry(TypedDict):
    """Units used under one license."""

    license: int
    """Index of the license on the channel."""
    units: int
    """Number of units."""


class StatementRecordParts(TypedDict):
    """Record of a settled statement in its channel's MMR."""

    channel: Address
    """Channel."""
    cumulative: Amount
    """Prices and fees since the channel opened."""
    fee: Amount
    """Operator's fee."""
    opened_slot: int
    """Slot of the channel's opening."""
    prices: Amount
    """Prices of the statement."""
    receipts_root: NotRequired[Digest | None]
    """Root of its receipts; `null` if another key than the operator's settled."""
    statement: int
    """Number of the statement."""
    statement_digest: Digest
    """SHA-256 of the statement's entries."""


class StatementState(TypedDict):
    """State of a statement."""

    cumulative: Amount
    """Total of the channel with this statement."""
    entries: list[StatementEntry]
    """Units used, by license."""
    prices: Amount
    """Sum of its generations' prices."""
    receipts: int
    """Number of receipts."""
    statement: int
    """Number of the statement."""
    voucher: NotRequired[VoucherParts | None]
    """Newest voucher; `null` before the first generation."""


class SumSibling(TypedDict):
    """Sibling on the Merkle-sum path from a receipt to the root."""

    hash: Digest
    """Hash of the node."""
    is_left: bool
    """Whether the sibling is the left child."""
    sum: Amount
    """Sum of the receipts below the node."""


class TermsFacts(TypedDict):
    """Version of a work's terms."""

    approval_required: bool
    """Whether each acceptance needs the owner's approval."""
    attribution: bool
    """Whether outputs must credit the creator."""
    commercial: bool
    """Whether commercial use is licensed."""
    currency: Address
    """Mint of all amounts."""
    derivative_share_bps: int
    """Minimum share in a derivative's earnings, basis points."""
    derivatives: str
    """Permission to register derivatives: `forbidden`, `approval` or `allowed`."""
    digest: Digest
    """Digest that an acceptance names."""
    expires_at: NotRequired[int | None]
    """Last unix second of acceptance, use and settlement."""
    free_units: int
    """Free units of each license."""
    number: int
    """Number of the version."""
    sublicensing: bool
    """Whether licensees may sublicense."""
    upfront_fee: Amount
    """Fee charged once at acceptance."""
    uses: list[PricedUse]
    """Licensed uses and prices."""
    valid_from: int
    """First unix second of acceptance."""


UsageReport = TypedDict(
    "UsageReport",
    {
        "by": "UsageBy",
        "from": "NotRequired[int | None]",
        "rows": "list[UsageRow]",
        "until": "NotRequired[int | None]",
    },
)
"""Usage and spending, settled or not."""


class UsageRow(TypedDict):
    """Row of a usage report."""

    charged: Amount
    """Sum of prices and operator fees."""
    generations: int
    """Number of paid generations."""
    mint: Address
    """Mint of the amounts."""
    name: str
    """Work, day (`2026-11-23`), payer, channel or API key; empty for requests without one."""
    prices: Amount
    """Sum of prices."""
    units: int
    """Units used, including free ones."""


class VoucherParts(TypedDict):
    """A signed voucher, field by field, so that a voucher for something else can be told from a bad signature."""

    channel: Address
    """Channel that pays."""
    cluster: Digest
    """Cluster tag."""
    cumulative: Amount
    """Prices and fees since the channel opened, this generation's included."""
    expires_at: int
    """Last unix second in which the voucher can settle."""
    opened_slot: int
    """Slot of the channel's opening."""
    signature: SignatureHex
    """Signature by the channel's voucher key."""
    statement: int
    """Number of the statement."""
    statement_digest: Digest
    """SHA-256 of the statement's entries, this generation's units included."""


class WorkDetailsFacts(TypedDict):
    """On-chain state of one work."""

    children: list[RelatedWork]
    """Derivatives, earliest registration first."""
    conflicts: list[RelatedWork]
    """Other registrations of the same content, earliest first."""
    dispute: NotRequired[DisputeFacts | None]
    """Pending dispute."""
    earnings: list[EarningsFacts]
    """Earnings, one entry for each currency."""
    parents: list[RelatedWork]
    """Parents."""
    split_change: NotRequired[SplitChangeFacts | None]
    """Proposed split that is not applied yet."""
    work: WorkFacts
    """Work and its latest terms."""


class WorkFacts(TypedDict):
    """Registered work."""

    certificate: NotRequired[Address | None]
    """Mint of the certificate."""
    consent: NotRequired[ConsentFacts | None]
    """Consent of the person whose voice or likeness it is."""
    content_digest: Digest
    """SHA-256 of the content."""
    creator: Address
    """Key that registered the work."""
    inherited: InheritedFacts
    """Conditions that the parents' terms set on its terms."""
    kind: WorkKind
    """Kind of content."""
    metadata_digest: Digest
    """SHA-256 of the metadata."""
    metadata_uri: str
    """URI of the metadata, which the gateway does not fetch."""
    model: NotRequired[ModelFacts | None]
    """Details of a style model."""
    owner: Address
    """Key that publishes its terms."""
    parents: list[ParentShare]
    """Parents."""
    pending_owner: NotRequired[Address | None]
    """Key that may accept the ownership."""
    registered_at: int
    """On-chain unix second of registration."""
    split: list[RecipientShare]
    """Recipients of the earnings that remain after the parents' shares."""
    split_version: int
    """Version of the split."""
    status: WorkStatus
    """Status."""
    terms: NotRequired[TermsFacts | None]
    """Latest terms; `null` if there are none."""
    title: str
    """Title as the owner states it, at most 64 bytes; possibly empty."""
    withdrawn_at: NotRequired[int | None]
    """On-chain unix second of withdrawal. Existing licenses continue for their notice."""
    work: Address
    """Address of the work."""


class WorkFinding(TypedDict):
    """Result for one work."""

    standing: WorkStanding
    """Relation to the content."""
    work: Address
    """Work."""


class WorkList(TypedDict):
    """Page of works."""

    offset: int
    """Number of skipped works."""
    total: int
    """Number of matching works."""
    works: list[WorkFacts]
    """Works, earliest registration first."""

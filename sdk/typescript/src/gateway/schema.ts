export interface paths {
    "/.well-known/motif.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the URLs of the catalogue, its terms for crawlers, and this interface's description. */
        get: operations["discover"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Checks that the store works and the settlement worker makes progress. A restart repairs what
         *     a 503 reports.
         */
        get: operations["alive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/olp/introspect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Shows whether a license token is valid, and what it states. */
        post: operations["introspect_license_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/olp/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Issues a license token of the Open License Protocol to the payer of a sale, until an hour after it. */
        post: operations["issue_license_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Describes this interface. */
        get: operations["show_interface"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Checks that the gateway can serve: the store takes writes, the settle key is configured, the receipt
         *     key's signer and the cluster answer, the operator can pay, and no shutdown has begun.
         */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/robots.txt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Allows all crawlers and names the URL of the terms. */
        get: operations["show_robots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rsl.xml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the terms of works as Really Simple Licensing 1.0, earliest registration first. Each work
         *     is identified by the digest of its content (RFC 6920).
         */
        get: operations["list_terms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/authenticate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Returns the registered works that content matches, their terms, and the receipts that licensed
         *     it. The body is the content itself with any content type except JSON, or its digest and
         *     fingerprints as JSON, so that the content need not be uploaded.
         */
        post: operations["authenticate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/badge/{work}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows a badge of a work, as a picture. */
        get: operations["show_badge"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows the cluster of this gateway. */
        get: operations["show_cluster"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chain/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reads accounts. The data of accounts that Motif does not use is left out. */
        post: operations["read_accounts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chain/blockhash": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows a blockhash for a transaction. */
        get: operations["show_blockhash"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chain/faucet": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Gives SOL and test dollars on a localnet. */
        post: operations["give_test_tokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chain/sponsorships": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Shows what the operator's sponsor would pay for a transaction that registers works, publishes terms or claims
         *     earnings. The request has it with the wallet as its fee payer, not signed. The sponsored one has the sponsor as
         *     its fee payer, the transfer first, and is sent as any other one, without the sponsor's signature.
         */
        post: operations["quote_sponsorship"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chain/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sends a signed transaction that uses Motif, after a node's preflight check. */
        post: operations["send_transaction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/chain/transactions/{signature}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows the outcome of a transaction. */
        get: operations["show_transaction"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Opens an on-chain channel at this gateway, or reads it again after a top-up or an acceptance.
         * @description Returns the channel as it is on chain, or its state at this gateway to those who may read it.
         */
        post: operations["open_channel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows a channel's state at this gateway to its payer, with its vouchers, or to the holder of an
         *     API key that is bound to the channel.
         */
        get: operations["show_channel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/batches": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pays for several generations with one voucher, all or none.
         * @description A blended generation, which uses several licenses, is a batch whose generations have the same
         *     request and output digests. A generation can capture a hold. If some cannot be paid for, nothing is
         *     charged, and the problem `batch-items` names them. Idempotent, as a single generation is.
         */
        post: operations["pay_for_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Settles a channel whose payer has started to close it, and ends its grace period, so that the
         *     payer can withdraw at once.
         */
        post: operations["close_channel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Streams the events of a channel, to its payer or the holder of an API key that is bound to it. */
        get: operations["stream_channel_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/generations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pays for a generation.
         * @description Idempotent: the same request under the same key returns the same receipt. A returned receipt
         *     survives any crash of the gateway.
         */
        post: operations["pay_for_generation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Holds units on a channel for a generation whose units are not known yet.
         * @description A hold charges nothing. It ends when it is captured, released or expired. Idempotent: the same
         *     request under the same key is the same hold.
         */
        post: operations["hold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/receipts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the receipts of a statement in order, to the channel's payer or the holder of an API key
         *     that is bound to the channel.
         */
        get: operations["list_receipts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/settlements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Settles a channel on its payer's signed request. Operators use the admin interface. */
        post: operations["settle_channel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/channels/{channel}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reports usage and spending of a channel, settled or not, to its payer or the holder of an API key
         *     that is bound to the channel.
         */
        get: operations["report_usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/holds/{hold}/capture": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Captures a hold: pays for the units used, up to those held.
         * @description Idempotent: the same request returns the same receipt.
         */
        post: operations["capture_hold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/holds/{hold}/receipt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Returns the receipt of a captured hold again, until a day after the hold's end.
         * @description Shown to the API key that placed the hold or captured it, to the channel's payer, and to the holder of
         *     an API key that is bound to the channel. A seller that was killed before it stored the receipt, or
         *     whose payer captured the hold itself, delivers the answer without the payer's voucher.
         */
        get: operations["show_hold_receipt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/holds/{hold}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Releases a hold: the generation failed, and nothing is charged. Idempotent. */
        post: operations["release_hold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/metadata/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows hosted metadata. */
        get: operations["show_metadata"];
        /** Hosts metadata that a registered work names. */
        put: operations["host_metadata"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operator": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows the operator of this gateway and its requirements of channels. */
        get: operations["show_operator"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/paywall": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the paid routes of the paywall with their present prices. */
        get: operations["show_paywall"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people/{address}/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the channels that an address pays for, as they are on chain. */
        get: operations["list_paid_channels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people/{address}/earnings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows where the money of all works of a person is. With the header `motif-person` of that person it
         *     includes what payers have signed for at this gateway.
         */
        get: operations["show_person_earnings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people/{address}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Streams the events of a person, to the person: `id` is the event's id, `event` its kind and `data` the
         *     event as JSON. The header `last-event-id` continues after an event; an id that is not kept begins with
         *     the oldest event. A stream ends after 15 minutes.
         */
        get: operations["stream_person_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people/{address}/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the webhooks of a person. */
        get: operations["list_webhooks"];
        put?: never;
        /**
         * Adds a webhook of a person, which has at most five. The answer has the secret of its signatures,
         *     which is not shown again.
         */
        post: operations["add_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people/{address}/webhooks/{webhook}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Removes a webhook of a person with its log. */
        delete: operations["remove_webhook"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people/{address}/webhooks/{webhook}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the last deliveries to a webhook, newest event first. */
        get: operations["list_deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/people/{address}/webhooks/{webhook}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Has an event sent to a webhook, to try it. A success enables a disabled webhook. */
        post: operations["test_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/previews/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows a hosted picture. */
        get: operations["show_preview"];
        /**
         * Hosts a picture that the hosted metadata of a registered work names. It is decoded in a sandbox and
         *     encoded anew.
         */
        put: operations["host_preview"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/receipts/{receipt}/proof": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Returns the proof of a settled receipt against its channel's account. */
        get: operations["prove_receipt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/works": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists registered works with their latest terms, earliest first. */
        get: operations["list_works"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/works/{work}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows all on-chain facts of a work. */
        get: operations["show_work"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/works/{work}/earnings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Shows where the money of a work is. With the header `motif-person` of its owner or a recipient it
         *     includes what payers have signed for at this gateway.
         */
        get: operations["show_work_earnings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/works/{work}/lineage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Shows a work's ancestors and descendants with their shares of earnings. */
        get: operations["show_lineage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/works/{work}/quotes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Quotes the price of a work's use at this gateway, by the latest terms. */
        get: operations["show_quote"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/works/{work}/receipts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the receipts of a work on a channel, to the work's owner or a recipient, who signs the header
         *     `motif-person`. Their sum on settled statements is what the channel's licenses were settled for.
         */
        get: operations["list_work_receipts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/works/{work}/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Reports who used a work through this gateway, when and for how much, to its owner or a recipient, who
         *     signs the header `motif-person`.
         */
        get: operations["report_work_usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/x402/settle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Settles an x402 payment to a till of this operator, or of a seller with an API key. One request is
         *     answered that it has landed; later ones are duplicates.
         */
        post: operations["settle_payment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/x402/supported": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the payments that the x402 facilitator settles. */
        get: operations["show_supported_payments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/x402/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Verifies an x402 payment to a till of this operator, or of a seller with an API key. One that was sent
         *     before is not valid.
         */
        post: operations["verify_payment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Account of a program. */
        AccountFacts: {
            /** @description Standard base64; empty for accounts of programs that Motif does not use. */
            data: string;
            /** @description Balance, lamports. */
            lamports: components["schemas"]["Amount"];
            /** @description Program that owns it. */
            owner: components["schemas"]["Address"];
        };
        /** @description Accounts at a slot. */
        AccountsFacts: {
            /** @description Accounts in the order of the request; `null` for those that do not exist. */
            accounts: (null | components["schemas"]["AccountFacts"])[];
            /**
             * Format: u-int64
             * @description Slot of the read.
             */
            slot: number;
        };
        /** @description Accounts to read. */
        AccountsRequest: {
            /** @description 1 to 100 addresses. */
            addresses: components["schemas"]["Address"][];
        };
        /**
         * @description Public key, base58.
         * @example BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w
         */
        Address: string;
        /** @description Work with similar content. */
        AlikeWork: {
            /**
             * Format: u-int16
             * @description Measured number of 1,000 modified copies within this distance; `null` for schemes that are
             *     no longer registered.
             */
            copies_per_mille?: number | null;
            /**
             * Format: u-int32
             * @description Distance of the fingerprints.
             */
            distance: number;
            /**
             * Format: u-int32
             * @description Maximum distance of the scheme.
             */
            distance_at_most: number;
            /**
             * Format: u-int16
             * @description Number of the fingerprint scheme.
             */
            scheme: number;
            /**
             * Format: u-int32
             * @description Measured maximum number of 1,000,000,000 unrelated works within this distance. Deliberate
             *     collisions are not counted.
             */
            strangers_per_billion?: number | null;
            /** @description The work. */
            work: components["schemas"]["WorkFacts"];
        };
        /**
         * @description Base units of a mint, as a string of decimal digits.
         * @example 1000000
         */
        Amount: string;
        /** @description First request for an answer. */
        AskToPay: {
            /** @description Channel that pays. */
            channel: components["schemas"]["Address"];
            /**
             * Format: int64
             * @description Last unix second in which the answer can be paid.
             */
            expires_at: number;
            /**
             * Format: u-int16
             * @description Index of the license on the channel.
             */
            license: number;
            /**
             * @description Proof of the payer's request, over `motif_sdk::gateway::hold_details` with the request's
             *     digest, `motif_sdk::gateway::paid_request_digest`.
             */
            proof: components["schemas"]["PayerProof"];
            /**
             * Format: u-int32
             * @description Maximum units of the answer, or of each part of a stream.
             */
            units: number;
            voucher?: null | components["schemas"]["VoucherParts"];
        };
        /** @description Result of content authentication: owners, terms and receipts. */
        Authentication: {
            /** @description Works with similar content, nearest first. A match is a hint, never proof. */
            alike: components["schemas"]["AlikeWork"][];
            /** @description Whether the content was registered more than once. */
            conflict: boolean;
            credentials?: null | components["schemas"]["CredentialsFacts"];
            /** @description SHA-256 of the content. */
            digest: components["schemas"]["Digest"];
            /**
             * @description Works with exactly this content, with or without its credentials, earliest registration
             *     first. A match proves identity.
             */
            exact: components["schemas"]["WorkFacts"][];
            /**
             * @description Whether several registrations share the earliest second, so that their order is unknown;
             *     they are then in the order of their addresses.
             */
            first_unknown: boolean;
            /** @description Media type, detected from the content; `null` if only fingerprints were sent. */
            media_type?: string | null;
            /**
             * Format: int64
             * @description Unix second of the index's last read from the chain.
             */
            read_at: number;
            /**
             * @description Receipts of generations with exactly this output, with or without its credentials, earliest
             *     first.
             */
            receipts: components["schemas"]["OutputReceipt"][];
            /** @description Whether there are more matches than are listed. */
            truncated: boolean;
            /** @description Reason why similar works were not searched; `null` if they were. */
            unreadable?: string | null;
            /**
             * Format: u-int64
             * @description Number of works in the index.
             */
            works: number;
        };
        /** @description Request to authenticate content by its digests and fingerprints. */
        AuthenticationRequest: {
            bare_digest?: null | components["schemas"]["Digest"];
            /** @description SHA-256 of the content. */
            digest: components["schemas"]["Digest"];
            /**
             * @description At most 64 fingerprints to look up: that of the content, and guesses at the image of which
             *     it is a crop.
             */
            fingerprints?: components["schemas"]["FingerprintParts"][];
        };
        /** @description Receipts of a batch, in its order. */
        BatchReceipts: {
            /** @description One receipt for each generation. */
            receipts: components["schemas"]["ReceiptParts"][];
        };
        /**
         * @description Request to pay for several generations with one voucher, all or none.
         *
         *     A blended generation, which uses several licenses, is a batch whose generations name the
         *     same request and output. A generation can capture a hold or pay for a part of a stream.
         */
        BatchRequest: {
            /** @description 1 to 1,000 generations, in the order of their receipts. */
            generations: components["schemas"]["BatchedGeneration"][];
            /** @description Voucher that covers all earlier generations and these. */
            voucher: components["schemas"]["VoucherParts"];
        };
        /** @description One generation of a batch. */
        BatchedGeneration: {
            captures?: null | components["schemas"]["Captured"];
            /**
             * Format: u-int16
             * @description Index of the license on the channel.
             */
            license: number;
            /** @description SHA-256 of the output, as stated by the platform. */
            output_digest: components["schemas"]["Digest"];
            /** @description SHA-256 of the request, as stated by the platform. */
            request_digest: components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Units that this generation uses, above zero.
             */
            units: number;
        };
        /** @description Blockhash for a transaction. */
        BlockhashFacts: {
            /** @description Base58. */
            blockhash: string;
            /**
             * Format: u-int64
             * @description Last block height at which a transaction with it can land.
             */
            last_valid_block_height: number;
        };
        /** @description Hold or part of a stream that a generation pays for. */
        Captured: {
            /** @description Name of a hold: of a generation, of an answer behind a paywall, or of a stream's first part. */
            hold: components["schemas"]["Digest"];
        } | {
            /** @description Name of a later part of a stream. */
            part: components["schemas"]["Digest"];
        };
        /** @description State of a channel at its gateway. */
        ChannelState: {
            /** @description Balance available for generations. */
            available: components["schemas"]["Amount"];
            /** @description Address of the channel. */
            channel: components["schemas"]["Address"];
            /**
             * Format: int64
             * @description Unix second from which nothing settles; `null` while the channel is open.
             */
            closes_at?: number | null;
            /** @description Cluster tag of its vouchers. */
            cluster: components["schemas"]["Digest"];
            /** @description Total of the newest voucher since opening, settled or not. */
            cumulative: components["schemas"]["Amount"];
            /** @description Deposits since opening. */
            deposited: components["schemas"]["Amount"];
            /**
             * Format: u-int32
             * @description Time between the start of closing and the last settlement.
             */
            grace_seconds: number;
            /** @description Licenses, by index. */
            licenses: components["schemas"]["LicenseState"][];
            /** @description Mint of all amounts. */
            mint: components["schemas"]["Address"];
            /** @description Statement of the next generation. */
            open: components["schemas"]["StatementState"];
            /**
             * Format: u-int64
             * @description Slot of opening, which distinguishes channels at the same address.
             */
            opened_slot: number;
            /** @description Authority of the operator that meters and settles the channel. */
            operator: components["schemas"]["Address"];
            /**
             * Format: u-int16
             * @description Operator's fee, in addition to prices.
             */
            operator_fee_bps: number;
            /** @description Key that funds the channel. */
            payer: components["schemas"]["Address"];
            /** @description Closed statements that are not settled yet, oldest first. */
            unsettled: components["schemas"]["StatementState"][];
            /** @description Fees charged at acceptance. */
            upfront_fees: components["schemas"]["Amount"];
            /** @description Key that signs vouchers. */
            voucher_key: components["schemas"]["Address"];
        };
        /** @description Result of closing a channel. Its payer can withdraw at once. */
        Closing: {
            /**
             * Format: int64
             * @description Unix second from which nothing settles.
             */
            closes_at: number;
            /**
             * Format: u-int64
             * @description Compute units used.
             */
            compute_units: number;
            /**
             * Format: u-int64
             * @description Transaction fee, lamports.
             */
            fee_lamports: number;
            /** @description Statements settled before closing, oldest first. */
            settlements: components["schemas"]["SettlementReport"][];
            /** @description Signature of the closing transaction, base58; `null` if the grace period was over. */
            signature?: string | null;
        };
        /** @description The gateway's cluster. */
        ClusterFacts: {
            /** @description Tag of the cluster, by convention its genesis hash. */
            cluster: components["schemas"]["Digest"];
            /** @description Whether `POST /v1/chain/faucet` gives test tokens. */
            faucet: boolean;
            /** @description Network of that hash. */
            network: components["schemas"]["Network"];
            sponsor?: null | components["schemas"]["Address"];
        };
        /** @description Consent of a person. */
        ConsentFacts: {
            /**
             * Format: int64
             * @description Last unix second of the consent; `null` for no expiry.
             */
            expires_at?: number | null;
            /** @description Key of the person. */
            person: components["schemas"]["Address"];
        };
        /** @description Registered webhook with its secret, which is shown once. */
        CreatedWebhook: {
            /** @description Secret of its signatures: `whsec_` and standard base64. */
            secret: string;
            /** @description The webhook. */
            webhook: components["schemas"]["Webhook"];
        };
        /** @description Content credentials of a file. */
        CredentialsFacts: {
            /** @description SHA-256 of the file without its credentials. */
            bare_digest: components["schemas"]["Digest"];
            /** @description Validation failures, as status codes of the C2PA specification. */
            faults: string[];
            findings?: null | components["schemas"]["Findings"];
            provenance?: null | components["schemas"]["Provenance"];
            signer?: null | components["schemas"]["CredentialsSigner"];
            /** @description Whether file and manifest are unchanged since signing. */
            state: components["schemas"]["CredentialsState"];
        };
        /** @description Signer of credentials, from the certificate. */
        CredentialsSigner: {
            /** @description Signature algorithm, such as `Es256`. */
            algorithm?: string | null;
            /** @description Common name of the certificate. */
            name?: string | null;
            /** @description Organization of the certificate. */
            organisation?: string | null;
            /**
             * @description Whether the certificate is signed by an anchor that the reader trusts. Otherwise the name is
             *     unverified.
             */
            trusted: boolean;
        };
        /**
         * @description Whether a file and its manifest are as they were signed.
         * @enum {string}
         */
        CredentialsState: "intact" | "altered" | "invalid" | "unreadable";
        /** @description Delivery of an event to a webhook. */
        Delivery: {
            /** @description Why the last try failed; `null` if it succeeded. */
            error?: string | null;
            /** @description The event's id, which is the header `webhook-id`. */
            event: components["schemas"]["Digest"];
            /** @description The event's kind. */
            kind: components["schemas"]["EventKind"];
            /**
             * Format: int64
             * @description Unix second of the next try; `null` after the end.
             */
            next_try_at?: number | null;
            /**
             * Format: u-int16
             * @description HTTP status of the last try; `null` without an answer.
             */
            status?: number | null;
            /**
             * Format: int64
             * @description Unix second of the last try; `null` before the first.
             */
            tried_at?: number | null;
            /**
             * Format: u-int32
             * @description Number of tries so far.
             */
            tries: number;
        };
        /** @description Log of a webhook, newest event first. */
        DeliveryList: {
            /** @description The last 100. */
            deliveries: components["schemas"]["Delivery"][];
        };
        /** @description SHA-256 digest, 64 hexadecimal digits. */
        Digest: string;
        /** @description Entry points of a gateway. */
        Discovery: {
            /** @description URL of content authentication: `POST` content or its fingerprints. */
            authenticate: string;
            /** @description Licensing program. */
            licensing_program: components["schemas"]["Address"];
            /** @description URL of the OpenAPI document. */
            openapi: string;
            /** @description Key of the operator. */
            operator: components["schemas"]["Address"];
            /** @description Payments program. */
            payments_program: components["schemas"]["Address"];
            /** @description URL of the terms as Really Simple Licensing 1.0. */
            rsl: string;
            /** @description URL of works and their latest terms: JSON, in pages, with filters. */
            works: string;
        };
        /** @description Dispute about a work's ownership. */
        DisputeFacts: {
            /**
             * Format: u-int64
             * @description Bond of the claimant, lamports.
             */
            bond_lamports: number;
            /** @description Key that claims the work. */
            claimant: components["schemas"]["Address"];
            /**
             * Format: int64
             * @description Last unix second for a verdict.
             */
            deadline: number;
            /** @description SHA-256 of the evidence. */
            evidence_digest: components["schemas"]["Digest"];
            /** @description URI of the evidence, which the gateway does not fetch. */
            evidence_uri: string;
            /**
             * Format: int64
             * @description On-chain unix second of opening.
             */
            opened_at: number;
        };
        /**
         * @description State of a dispute.
         * @enum {string}
         */
        DisputeState: "opened" | "rejected" | "upheld";
        /** @description Answer, or part of one, that is ready and unpaid. */
        Due: {
            /** @description Name of the answer or part. */
            answer: components["schemas"]["Digest"];
            /** @description Slug of the problem with the voucher that was sent. */
            because?: string | null;
            /** @description Open statement, and the total that the voucher needs. */
            expected: components["schemas"]["ExpectedStatement"];
            /**
             * Format: int64
             * @description Last unix second in which the answer can be paid.
             */
            expires_at: number;
            /**
             * Format: u-int16
             * @description Index of the license on the channel.
             */
            license: number;
            /** @description SHA-256 of the answer's body, or of the part. */
            output_digest: components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Number of the part of a stream, from 0.
             */
            part: number;
            /** @description Present price of these units, without the operator's fee. */
            price: components["schemas"]["Amount"];
            /** @description SHA-256 of the request. */
            request_digest: components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Units used.
             */
            units: number;
        };
        /** @description Earnings of a work in one currency. */
        EarningsFacts: {
            /** @description Mint of the amounts. */
            currency: components["schemas"]["Address"];
            /** @description Total earned. */
            earned: components["schemas"]["Amount"];
            /** @description Amount that parents have pulled and recipients have claimed. */
            taken: components["schemas"]["Amount"];
        };
        /** @description Something that happened. Which fields are present depends on `kind`. */
        Event: {
            amount?: null | components["schemas"]["Amount"];
            /**
             * Format: int64
             * @description Unix second in which it happened, or in which the gateway read it on chain.
             */
            at: number;
            channel?: null | components["schemas"]["Address"];
            currency?: null | components["schemas"]["Address"];
            dispute?: null | components["schemas"]["DisputeState"];
            /**
             * Format: int64
             * @description Last unix second of the channel, consent, proposal, or of a verdict.
             */
            ends_at?: number | null;
            /**
             * Format: u-int64
             * @description Number of generations.
             */
            generations?: number | null;
            /** @description Digest of what happened: told again, it has the same id. */
            id: components["schemas"]["Digest"];
            /** @description Kind. */
            kind: components["schemas"]["EventKind"];
            /**
             * Format: u-int32
             * @description Index of the accepted license in the channel.
             */
            license?: number | null;
            person?: null | components["schemas"]["Address"];
            /**
             * Format: u-int64
             * @description Number of the channel's statement.
             */
            statement?: number | null;
            work?: null | components["schemas"]["Address"];
        };
        /**
         * @description Kind of an event.
         * @enum {string}
         */
        EventKind: "paid" | "settled" | "claimed" | "accepted" | "disputed" | "channel-low" | "consent-ending" | "split-waiting" | "test";
        /** @description Open statement at the gateway. */
        ExpectedStatement: {
            /** @description Total of the newest voucher; with `wrong-price`, the total that this generation requires. */
            cumulative: components["schemas"]["Amount"];
            /** @description Units used, by license. */
            entries: components["schemas"]["StatementEntry"][];
            /**
             * Format: u-int64
             * @description Number of the statement.
             */
            statement: number;
        };
        /**
         * @description Request of `POST /verify` and `POST /settle` of a facilitator. The payment and the requirements
         *     have the shapes of the version.
         */
        FacilitatorRequest: {
            /** @description Payment of the client. */
            paymentPayload: unknown;
            /** @description Requirements of the seller. */
            paymentRequirements: unknown;
            /**
             * Format: u-int8
             * @description 1 or 2.
             */
            x402Version: number;
        };
        /** @description Test tokens to give. */
        FaucetRequest: {
            /** @description Wallet. */
            address: components["schemas"]["Address"];
            amount?: null | components["schemas"]["Amount"];
            lamports?: null | components["schemas"]["Amount"];
        };
        /** @description Result of checking a provenance against the chain. */
        Findings: {
            receipt?: null | components["schemas"]["ReceiptFinding"];
            /** @description Results for the works. */
            works: components["schemas"]["WorkFinding"][];
        };
        /** @description Perceptual fingerprint of content. */
        FingerprintParts: {
            /** @description 256 bits of the fingerprint. */
            bits: components["schemas"]["Digest"];
            /**
             * Format: u-int16
             * @description Number of the scheme: 1, 2 and 5 for images, 3 and 6 for audio, 4 for text.
             */
            scheme: number;
        };
        /** @description Request to pay for one generation. */
        GenerationRequest: {
            /**
             * Format: u-int16
             * @description Index of the license on the channel.
             */
            license: number;
            /** @description SHA-256 of the output, as stated by the platform. */
            output_digest: components["schemas"]["Digest"];
            /** @description SHA-256 of the request, as stated by the platform. */
            request_digest: components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Units that this generation uses, above zero.
             */
            units: number;
            /** @description Voucher that covers all earlier generations and this one. */
            voucher: components["schemas"]["VoucherParts"];
        };
        /** @description Sibling on the Merkle path from a receipt to the root of its bundle. */
        HashSibling: {
            /** @description Hash of the node. */
            hash: components["schemas"]["Digest"];
            /** @description Whether the sibling is the left child. */
            is_left: boolean;
        };
        /** @description Hold of funds for a generation. */
        HoldFacts: {
            /** @description Channel that pays. */
            channel: components["schemas"]["Address"];
            /**
             * Format: int64
             * @description Last unix second in which the hold can be captured.
             */
            expires_at: number;
            /** @description Name of the hold. */
            hold: components["schemas"]["Digest"];
            /**
             * Format: u-int16
             * @description Index of the license on the channel.
             */
            license: number;
            /** @description SHA-256 of the request, as stated by the platform. */
            request_digest: components["schemas"]["Digest"];
            /** @description State of the hold. */
            state: components["schemas"]["HoldState"];
            /**
             * Format: u-int32
             * @description Maximum units of the generation.
             */
            units: number;
        };
        /** @description Request to hold funds for a generation whose units are not known yet. */
        HoldRequest: {
            /**
             * Format: int64
             * @description Last unix second in which the hold can be captured.
             */
            expires_at: number;
            /**
             * Format: u-int16
             * @description Index of the license on the channel.
             */
            license: number;
            /** @description Proof of the payer's request, over `motif_sdk::gateway::hold_details`. */
            proof: components["schemas"]["PayerProof"];
            /** @description SHA-256 of the request, as stated by the platform. */
            request_digest: components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Maximum units of the generation, above zero.
             */
            units: number;
        };
        /**
         * @description State of a hold.
         * @enum {string}
         */
        HoldState: "open" | "captured" | "released";
        /** @description What is hosted. */
        Hosted: {
            /** @description SHA-256 of the upload. */
            digest: components["schemas"]["Digest"];
        };
        /** @description Conditions that parents' terms set on a work's terms. */
        InheritedFacts: {
            /**
             * Format: int64
             * @description Latest allowed expiry of its terms, unix seconds.
             */
            expires_at?: number | null;
            /** @description Whether they must be non-commercial. */
            non_commercial: boolean;
            /** @description Whether they must allow derivatives on the same condition. */
            share_alike: boolean;
        };
        /** @description State of a license token. */
        Introspection: (null | components["schemas"]["LicenseClaims"]) & {
            /** @description Whether it is valid, and licenses the work. */
            active: boolean;
            /** @description `License`; absent if it is not active. */
            token_type?: string | null;
        };
        /** @description Request of the state of a license token. */
        IntrospectionRequest: {
            /** @description Address of the work that it has to license; absent for any. */
            resource?: string | null;
            /** @description The token. */
            token: string;
        };
        /** @description Item of a batch that the gateway refuses. */
        ItemProblem: {
            /** @description Description of the problem and of the expected value. */
            detail: string;
            /**
             * Format: u-int32
             * @description Position in the batch, from 0.
             */
            item: number;
            /** @description Slug of the problem type. */
            type: string;
        };
        /** @description A supported payment. */
        Kind: {
            /** @description Details: `feePayer`. */
            extra: Record<string, never>;
            /** @description Network, in the version's form. */
            network: string;
            /** @description Scheme. */
            scheme: string;
            /**
             * Format: u-int8
             * @description 1 or 2.
             */
            x402Version: number;
        };
        /** @description What a token states. */
        LicenseClaims: {
            /** @description The licensed work. */
            aud: components["schemas"]["Address"];
            /** @description Digest of the terms. */
            digest: components["schemas"]["Digest"];
            /**
             * Format: int64
             * @description Unix second from which the token is not valid.
             */
            exp: number;
            /**
             * Format: int64
             * @description Time of issue, unix seconds.
             */
            iat: number;
            /** @description URL of the paywall that sold the answer. */
            iss: string;
            /** @description Signature of the payment's transaction. */
            jti: string;
            /** @description SHA-256 of the paid request. */
            request: components["schemas"]["Digest"];
            /** @description Key that paid. */
            sub: components["schemas"]["Address"];
            /**
             * Format: u-int32
             * @description Number of the accepted terms.
             */
            terms: number;
            /**
             * Format: u-int32
             * @description Units of the use.
             */
            units: number;
            /** @description Licensed use. */
            use: components["schemas"]["Use"];
        };
        /** @description License on a channel. */
        LicenseState: {
            /**
             * Format: int64
             * @description Last unix second of the license; `null` for no expiry.
             */
            expires_at?: number | null;
            /**
             * Format: u-int64
             * @description Free units left after the last settlement.
             */
            free_units_left: number;
            /**
             * Format: u-int16
             * @description Index on the channel.
             */
            license: number;
            /** @description Price of one unit. */
            price: components["schemas"]["Amount"];
            /**
             * Format: u-int64
             * @description Settled units.
             */
            settled_units: number;
            /**
             * Format: u-int32
             * @description Version of the work's terms.
             */
            terms_number: number;
            unit?: null | components["schemas"]["Unit"];
            use?: null | components["schemas"]["Use"];
            /** @description Licensed work. */
            work: components["schemas"]["Address"];
        };
        /** @description A license token. */
        LicenseToken: {
            /** @description The token, for `Authorization: License`. */
            access_token: string;
            /**
             * Format: int64
             * @description Seconds until the token expires.
             */
            expires_in: number;
            /** @description `License`. */
            token_type: string;
        };
        /** @description Ancestors and descendants of a work. */
        LineageFacts: {
            /** @description Ancestors, to any depth, nearest first. */
            ancestors: components["schemas"]["RelativeFacts"][];
            /** @description Descendants, to any depth, nearest first. */
            descendants: components["schemas"]["RelativeFacts"][];
            /** @description The work itself. */
            work: components["schemas"]["RelativeFacts"];
        };
        /** @description Document about a work. Its bytes are what is hashed: any JSON text of these fields. */
        Metadata: {
            /** @description Name of the creator, at most 100 bytes. */
            creator?: string;
            /** @description Description, at most 2,000 bytes. */
            description?: string;
            /** @description At most 8 `https` URLs of at most 200 bytes. */
            links?: string[];
            /**
             * Format: u-int32
             * @description Version of the layout: 1.
             */
            motif: number;
            preview?: null | components["schemas"]["Digest"];
            /**
             * @description Provenance of a data set, with the fields of the Data & Trust Alliance's standard 1.0 in snake
             *     case, at most 32 of at most 500 bytes.
             */
            provenance?: {
                [key: string]: string;
            };
            /** @description Title, at most 64 bytes. */
            title?: string;
        };
        /** @description Details of a style model. */
        ModelFacts: {
            /** @description Name of the adapted model. */
            base_model: string;
            previous?: null | components["schemas"]["Address"];
            /** @description Merkle root of the training set's content digests. */
            training_root: components["schemas"]["Digest"];
        };
        /** @description Work named by credentials. */
        NamedWork: {
            /** @description SHA-256 of the work's content. */
            content_digest: components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Version of the terms that was licensed, or was the latest; `null` without terms.
             */
            terms_number?: number | null;
            /** @description Address of the work. */
            work: components["schemas"]["Address"];
        };
        /**
         * @description Public networks of Solana, and others.
         * @enum {string}
         */
        Network: "mainnet" | "devnet" | "testnet" | "localnet" | "unknown";
        /** @description Webhook to register. */
        NewWebhook: {
            /** @description Kinds of events; empty for all. */
            kinds?: components["schemas"]["EventKind"][];
            /** @description `https` URL of at most 512 bytes, without user name and password, at a public address. */
            url: string;
        };
        /** @description Error of OAuth 2.0. */
        OauthError: {
            /**
             * @description `invalid_request`, `invalid_client`, `invalid_grant`, `invalid_target` or
             *     `unsupported_grant_type`.
             */
            error: string;
            /** @description What is wrong, and what was expected. */
            error_description: string;
        };
        /** @description Request to serve a channel, or to read it again after a top-up or an acceptance. */
        OpenChannel: {
            /** @description Address of the channel. */
            channel: components["schemas"]["Address"];
        };
        /** @description Operator of a gateway, and its conditions. */
        Operator: {
            /** @description Cluster tag of vouchers. */
            cluster: components["schemas"]["Digest"];
            /** @description Licensing program. */
            licensing_program: components["schemas"]["Address"];
            /**
             * Format: u-int32
             * @description Minimum grace period of a channel.
             */
            min_grace_seconds: number;
            /**
             * Format: u-int32
             * @description Minimum remaining validity of a voucher.
             */
            min_voucher_seconds: number;
            /** @description Mints of the channels it serves; empty for all mints. */
            mints: components["schemas"]["Address"][];
            /**
             * @description Authority of the operator, which a channel names at opening. Its account on chain has the
             *     keys that settle and sign receipts.
             */
            operator: components["schemas"]["Address"];
            /**
             * Format: u-int16
             * @description Minimum operator fee of a channel, in addition to prices.
             */
            operator_fee_bps: number;
            /** @description Payments program. */
            payments_program: components["schemas"]["Address"];
        };
        /**
         * @description Origin of content.
         * @enum {string}
         */
        Origin: "registered" | "generated";
        /** @description Receipt for an output. */
        OutputReceipt: {
            /** @description Receipt signed by this gateway. */
            receipt: components["schemas"]["ReceiptParts"];
            /** @description Whether its statement has settled, so that `/v1/receipts/{receipt}/proof` proves it. */
            settled: boolean;
        };
        /** @description Channel as it is on chain. */
        PaidChannel: {
            /** @description Address. */
            channel: components["schemas"]["Address"];
            /**
             * Format: int64
             * @description Unix second after which it can be closed; `null` unless it is closing.
             */
            closes_at?: number | null;
            /** @description Deposited so far. */
            deposited: components["schemas"]["Amount"];
            /** @description Licenses by index. */
            licenses: components["schemas"]["PaidLicense"][];
            /** @description Mint of the amounts. */
            mint: components["schemas"]["Address"];
            /**
             * Format: u-int64
             * @description Slot in which it was opened.
             */
            opened_slot: number;
            /** @description Operator. */
            operator: components["schemas"]["Address"];
            /**
             * Format: u-int16
             * @description Operator fee, basis points on top of prices.
             */
            operator_fee_bps: number;
            /** @description Payer. */
            payer: components["schemas"]["Address"];
            /** @description Refunded to the payer. */
            refunded: components["schemas"]["Amount"];
            /** @description Settled so far: prices, fees and upfront fees. */
            settled: components["schemas"]["Amount"];
            /** @description Key that signs vouchers. */
            voucher_key: components["schemas"]["Address"];
        };
        /** @description Channels that an address pays for. */
        PaidChannels: {
            /** @description Channels, ordered by address. */
            channels: components["schemas"]["PaidChannel"][];
        };
        /** @description License of a channel. */
        PaidLicense: {
            /**
             * Format: int64
             * @description Last unix second; `null` for no end.
             */
            expires_at?: number | null;
            /** @description Price of one unit. */
            price: components["schemas"]["Amount"];
            /** @description Credited to the work: prices and the upfront fee. */
            settled: components["schemas"]["Amount"];
            /**
             * Format: u-int32
             * @description Number of the accepted terms.
             */
            terms_number: number;
            unit?: null | components["schemas"]["Unit"];
            /**
             * Format: u-int64
             * @description Units settled.
             */
            units: number;
            use?: null | components["schemas"]["Use"];
            /** @description Licensed work. */
            work: components["schemas"]["Address"];
        };
        /** @description Route behind a paywall. */
        PaidRoute: {
            /** @description HTTP method. */
            method: string;
            /** @description Path, with `{name}` for one segment and `{*name}` for the rest. */
            path: string;
            /** @description Price of the route. */
            price_tag: components["schemas"]["PriceTag"];
        };
        /** @description Routes behind a paywall. */
        PaidRoutes: {
            /** @description Routes, in the order of the operator's file. */
            routes: components["schemas"]["PaidRoute"][];
        };
        /** @description Part of a parent in what a work has collected. */
        ParentPart: {
            /** @description Mint of the amounts. */
            currency: components["schemas"]["Address"];
            /** @description Total entitlement. */
            entitled: components["schemas"]["Amount"];
            /** @description Moved to the parent's earnings. */
            pulled: components["schemas"]["Amount"];
            /**
             * Format: u-int16
             * @description Share of everything that the work earns.
             */
            share_bps: number;
            /** @description Waits for a pull. */
            waiting: components["schemas"]["Amount"];
            /** @description Parent. */
            work: components["schemas"]["Address"];
        };
        /** @description Share of a parent in a work's earnings. */
        ParentShare: {
            /**
             * Format: u-int16
             * @description Share of everything that the work earns, basis points.
             */
            share_bps: number;
            /**
             * Format: u-int32
             * @description Number of the parent's terms that allowed the derivative; 0 if the parent's owner signed.
             */
            terms_number: number;
            /** @description Parent. */
            work: components["schemas"]["Address"];
        };
        /** @description Payment for a ready answer. */
        PayForAnswer: {
            /** @description Name of the answer, or of the part. */
            answer: components["schemas"]["Digest"];
            /** @description Channel that pays. */
            channel: components["schemas"]["Address"];
            /** @description Voucher that covers all earlier generations and this one. */
            voucher: components["schemas"]["VoucherParts"];
        };
        /** @description Proof of a payer's request: a signature over a `motif_sdk::gateway::PayerRequest`. */
        PayerProof: {
            /**
             * Format: int64
             * @description Unix second at the payer.
             */
            issued_at: number;
            /** @description Signature over the request's 161 bytes. */
            signature: components["schemas"]["SignatureHex"];
            /** @description Signer: the channel's payer or its voucher key. */
            signer: components["schemas"]["Address"];
        };
        /**
         * @description Payment for a request to a model server behind a paywall. Sent as base64url of its JSON in the
         *     header `motif-payment`.
         */
        Payment: components["schemas"]["AskToPay"] | components["schemas"]["PayForAnswer"];
        /** @description Payment that status 402 requires. Sent in the header `motif-payment-required`. */
        PaymentRequired: {
            /** @description Nothing was paid or held: the price. */
            "price-tag": components["schemas"]["PriceTag"];
        } | {
            /** @description The answer is ready: the payment that is due. */
            due: components["schemas"]["Due"];
        };
        /** @description Earnings of a person. */
        PersonEarnings: {
            /**
             * Format: int64
             * @description Unix second of the read.
             */
            as_of: number;
            /** @description The person. */
            person: components["schemas"]["Address"];
            /** @description Sums over the works, one for each currency. */
            totals: components["schemas"]["Standing"][];
            /** @description Works, earliest registration first. */
            works: components["schemas"]["PersonWork"][];
        };
        /** @description Work that pays a person. */
        PersonWork: {
            /**
             * @description One entry for each currency: `collected`, `disputed`, `claimable` and `claimed` are the person's
             *     part, the others the work's before parents and other recipients.
             */
            currencies: components["schemas"]["Standing"][];
            /** @description Why it is the person's. */
            roles: components["schemas"]["Role"][];
            /** @description Title as the owner states it; possibly empty. */
            title: string;
            /** @description Address. */
            work: components["schemas"]["Address"];
        };
        /** @description Price and payment conditions of a request behind a paywall. */
        PriceTag: {
            /** @description Cluster tag of vouchers. */
            cluster: components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Number of units, if it is known in advance.
             */
            fixed_units?: number | null;
            /**
             * Format: u-int32
             * @description Minimum duration of the hold.
             */
            hold_seconds: number;
            /**
             * Format: u-int32
             * @description Maximum units of one request, or of one part of a stream.
             */
            most_units: number;
            /** @description Required operator of the channel. */
            operator: components["schemas"]["Address"];
            /** @description Work, use, unit, price and currency. */
            quote: components["schemas"]["Quote"];
            /** @description Whether the answer is a stream whose parts are paid one by one. */
            streams: boolean;
        };
        /** @description Price of one use. */
        PricedUse: {
            /** @description Price of one unit. */
            price: components["schemas"]["Amount"];
            /** @description Unit of the use. */
            unit: components["schemas"]["Unit"];
            /** @description Use. */
            use: components["schemas"]["Use"];
        };
        /** @description RFC 9457 problem document. */
        Problem: {
            /** @description Description of the problem and of the expected value. */
            detail: string;
            expected?: null | components["schemas"]["ExpectedStatement"];
            /** @description URL of the process that serves the channel, with `channel-held-elsewhere`. */
            holder?: string | null;
            /** @description Items that are refused, in order, with `batch-items`; the others can be paid without them. */
            items?: components["schemas"]["ItemProblem"][];
            payment?: null | components["schemas"]["PaymentRequired"];
            /**
             * Format: u-int16
             * @description HTTP status.
             */
            status: number;
            /** @description Title of the problem type. */
            title: string;
            /** @description Stable identifier of the problem type: see `motif_sdk::gateway::ProblemType`. */
            type: string;
        };
        /**
         * @description Claims of Motif credentials: an assertion of a C2PA manifest, encoded as CBOR with these field
         *     names.
         *
         *     A signer can write anything into a manifest: check it against the chain and the operator's
         *     signature with [`super::Findings`].
         */
        Provenance: {
            /** @description Tag of the cluster of all named accounts. */
            cluster: components["schemas"]["Digest"];
            /** @description SHA-256 of the bare content: the file without its credentials. */
            content_digest: components["schemas"]["Digest"];
            /** @description Licensing program. */
            licensing_program: components["schemas"]["Address"];
            /** @description Origin of the content. */
            origin: components["schemas"]["Origin"];
            /** @description Payments program. */
            payments_program: components["schemas"]["Address"];
            proof?: null | components["schemas"]["SettlementProof"];
            receipt?: null | components["schemas"]["ReceiptParts"];
            /**
             * Format: u-int32
             * @description Version of the layout: 1.
             */
            version: number;
            /** @description Work that the content is, or works that it was generated with. */
            works: components["schemas"]["NamedWork"][];
        };
        /** @description Price of a use of a work through this gateway. */
        Quote: {
            /** @description Mint of the amounts. */
            currency: components["schemas"]["Address"];
            /**
             * Format: u-int64
             * @description Free units of each license.
             */
            free_units: number;
            /**
             * Format: u-int16
             * @description Operator's fee, in addition to the price, basis points.
             */
            operator_fee_bps: number;
            /** @description Price of one unit, paid to the creators. */
            price: components["schemas"]["Amount"];
            /**
             * @description Price of one unit with the fee, rounded up. Fees are floors of totals, so many units
             *     cost at most this each.
             */
            price_with_fee: components["schemas"]["Amount"];
            /** @description Digest that an acceptance of these terms names. */
            terms_digest: components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Number of the terms.
             */
            terms_number: number;
            /** @description Unit of the use. */
            unit: components["schemas"]["Unit"];
            /** @description Fee charged once at acceptance. */
            upfront_fee: components["schemas"]["Amount"];
            /** @description Use. */
            use: components["schemas"]["Use"];
            /** @description Work. */
            work: components["schemas"]["Address"];
        };
        /**
         * @description Proof of a channel's payer that it reads the channel's state, receipts and usage, in the header
         *     `motif-reader`.
         */
        ReaderProof: {
            /** @description Address of the channel. */
            channel: components["schemas"]["Address"];
            /**
             * Format: int64
             * @description Last unix second in which the proof is valid, at most a day after it was signed.
             */
            expires_at: number;
            /** @description Signature of the channel's payer or its voucher key. */
            proof: components["schemas"]["PayerProof"];
        };
        /** @description Result for a receipt. */
        ReceiptFinding: {
            /** @description Receipt. */
            receipt: components["schemas"]["ReceiptParts"];
            /** @description Validity of the receipt. */
            standing: components["schemas"]["ReceiptStanding"];
        };
        /** @description Page of a statement's receipts, in order. */
        ReceiptPage: {
            /**
             * Format: u-int32
             * @description Position of the first receipt.
             */
            offset: number;
            /** @description Receipts. */
            receipts: components["schemas"]["ReceiptParts"][];
            /**
             * Format: u-int64
             * @description Number of the statement.
             */
            statement: number;
            /**
             * Format: u-int32
             * @description Number of receipts of the statement.
             */
            total: number;
        };
        /** @description Signed receipt. */
        ReceiptParts: {
            /** @description Price of this generation, without the operator's fee. */
            amount: components["schemas"]["Amount"];
            /**
             * @description Siblings on the path from the receipt to the root of its bundle, lowest first; absent if
             *     it was signed alone.
             */
            bundle?: components["schemas"]["HashSibling"][];
            /** @description Channel that paid. */
            channel: components["schemas"]["Address"];
            /** @description Total of the channel with this generation. */
            cumulative: components["schemas"]["Amount"];
            /** @description SHA-256 of the receipt's bytes, which identifies it. */
            digest: components["schemas"]["Digest"];
            /**
             * Format: int64
             * @description Unix second at the gateway.
             */
            issued_at: number;
            /**
             * Format: u-int16
             * @description Index of the license on the channel.
             */
            license: number;
            /**
             * Format: u-int64
             * @description Slot of the channel's opening.
             */
            opened_slot: number;
            /** @description SHA-256 of the output, as stated by the platform. */
            output_digest: components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Position in the statement, from 0.
             */
            position: number;
            /** @description SHA-256 of the request, as stated by the platform. */
            request_digest: components["schemas"]["Digest"];
            /**
             * @description Signature by the operator, over the receipt's bytes, or over the root of its bundle if it
             *     has siblings.
             */
            signature: components["schemas"]["SignatureHex"];
            /**
             * Format: u-int64
             * @description Number of the statement.
             */
            statement: number;
            /**
             * Format: u-int32
             * @description Version of the work's terms.
             */
            terms_number: number;
            /**
             * Format: u-int32
             * @description Units used, including free ones.
             */
            units: number;
            /** @description Licensed work. */
            work: components["schemas"]["Address"];
        };
        /** @description Proof of a settled receipt against its channel's account. */
        ReceiptProofParts: {
            /** @description Siblings on the path from the record to a peak of the channel's MMR, lowest first. */
            range_siblings: components["schemas"]["Digest"][];
            /** @description Receipt. */
            receipt: components["schemas"]["ReceiptParts"];
            /** @description Record of the settled statement. */
            record: components["schemas"]["StatementRecordParts"];
            /** @description Siblings on the path to the root of the statement's receipts, lowest first. */
            siblings: components["schemas"]["SumSibling"][];
        };
        /**
         * @description Validity of a receipt in credentials.
         * @enum {string}
         */
        ReceiptStanding: "settled" | "signed" | "other-output" | "false" | "channel-gone" | "other-cluster";
        /** @description Part of a recipient in what a work has collected. */
        RecipientPart: {
            /** @description Ready. */
            claimable: components["schemas"]["Amount"];
            /** @description Paid. */
            claimed: components["schemas"]["Amount"];
            /** @description Mint of the amounts. */
            currency: components["schemas"]["Address"];
            /** @description Total entitlement. */
            entitled: components["schemas"]["Amount"];
            /** @description Recipient. */
            recipient: components["schemas"]["Address"];
            /**
             * Format: u-int16
             * @description Present share of what remains after parents; 0 for a former recipient.
             */
            share_bps: number;
        };
        /** @description Share of a recipient in a work's earnings. */
        RecipientShare: {
            /** @description Recipient. */
            recipient: components["schemas"]["Address"];
            /**
             * Format: u-int16
             * @description Share of what remains after the parents' shares, basis points.
             */
            share_bps: number;
        };
        /** @description Short description of another work. */
        RelatedWork: {
            /** @description Key that registered the work. */
            creator: components["schemas"]["Address"];
            /** @description Kind of content. */
            kind: components["schemas"]["WorkKind"];
            /**
             * Format: int64
             * @description On-chain unix second of registration.
             */
            registered_at: number;
            /**
             * Format: u-int16
             * @description Parent's share of the child's earnings; `null` if the works are not parent and child.
             */
            share_bps?: number | null;
            /** @description Status. */
            status: components["schemas"]["WorkStatus"];
            /** @description Address of the work. */
            work: components["schemas"]["Address"];
        };
        /** @description Work in a lineage. */
        RelativeFacts: {
            /**
             * Format: u-int32
             * @description Length of the shortest path to the work.
             */
            distance: number;
            /** @description Kind of content. */
            kind: components["schemas"]["WorkKind"];
            /** @description Parents, with their shares of its earnings. */
            parents: components["schemas"]["ParentShare"][];
            /**
             * Format: u-int32
             * @description Parts per billion over all paths. Ancestor: its share of the work's earnings. Descendant:
             *     the work's share of its earnings.
             */
            share_ppb: number;
            /** @description Status. */
            status: components["schemas"]["WorkStatus"];
            /** @description Address of the work. */
            work: components["schemas"]["Address"];
        };
        /** @description Request to release a hold. */
        ReleaseRequest: {
            /** @description Channel of the hold. */
            channel: components["schemas"]["Address"];
            /** @description Proof of the payer's request; its details are the hold's name. */
            proof: components["schemas"]["PayerProof"];
        };
        /** @description Answer to a removal. */
        RemovedWebhook: {
            /** @description Identifier of the webhook. */
            id: string;
        };
        /**
         * @description Why a work is a person's.
         * @enum {string}
         */
        Role: "creator" | "owner" | "recipient";
        /** @description Transaction that a node has taken. */
        SentTransaction: {
            /** @description Base58. */
            signature: string;
        };
        /** @description Outcome of a payment: `SettleResponse`. */
        Settlement: {
            amount?: null | components["schemas"]["Amount"];
            /** @description Reason of a failure, a word of the specification. */
            errorReason?: string | null;
            /** @description Extensions by name. */
            extensions?: {
                [key: string]: unknown;
            };
            /** @description Network as the request named it. */
            network: string;
            payer?: null | components["schemas"]["Address"];
            /** @description Whether the payment has landed. */
            success: boolean;
            /** @description Signature of the transaction, base58; empty if nothing was sent. */
            transaction: string;
        };
        /** @description [`ReceiptProof`] without the receipt. */
        SettlementProof: {
            /** @description Siblings on the path from the record to a peak of the channel's MMR, lowest first. */
            range_siblings: components["schemas"]["Digest"][];
            /** @description Record of the settled statement. */
            record: components["schemas"]["StatementRecordParts"];
            /** @description Siblings on the path to the root of the statement's receipts, lowest first. */
            siblings: components["schemas"]["SumSibling"][];
        };
        /** @description Settlement of one statement. */
        SettlementReport: {
            /**
             * Format: u-int64
             * @description Compute units used.
             */
            compute_units: number;
            /** @description Prices and fees since the channel opened. */
            cumulative: components["schemas"]["Amount"];
            /** @description Operator's fee. */
            fee: components["schemas"]["Amount"];
            /**
             * Format: u-int64
             * @description Transaction fee, lamports.
             */
            fee_lamports: number;
            /** @description Sum of the statement's prices. */
            prices: components["schemas"]["Amount"];
            /**
             * Format: u-int32
             * @description Number of receipts that the settlement commits to.
             */
            receipts: number;
            /** @description Signature of the transaction, base58. */
            signature: string;
            /**
             * Format: u-int64
             * @description Number of the statement.
             */
            statement: number;
        };
        /** @description Settled statements, oldest first. */
        Settlements: {
            /** @description One entry, and one transaction, for each statement. */
            settlements: components["schemas"]["SettlementReport"][];
        };
        /** @description Ed25519 signature, 128 hexadecimal digits. */
        SignatureHex: string;
        /** @description Proposed split of a work. */
        SplitChangeFacts: {
            /** @description Recipients whose share falls and who have not approved. */
            awaiting: components["schemas"]["Address"][];
            /** @description Whether all shares are written. */
            complete: boolean;
            /** @description Key that proposes it. */
            proposer: components["schemas"]["Address"];
            /** @description Proposed shares. */
            split: components["schemas"]["RecipientShare"][];
            /**
             * Format: u-int32
             * @description Version of the split that it replaces.
             */
            split_version: number;
        };
        /** @description What a sponsored transaction has to be. */
        SponsorshipQuote: {
            /**
             * @description Lamports that the first instruction after the unit limit transfers from the sponsor to the wallet; no such
             *     instruction if zero.
             */
            lamports: components["schemas"]["Amount"];
            /** @description Fee payer. */
            sponsor: components["schemas"]["Address"];
        };
        /** @description Where the money of a work, or of a person, is in one currency. */
        Standing: {
            /** @description Of it ready for recipients. */
            claimable: components["schemas"]["Amount"];
            /** @description Of it paid to recipients that the account still lists. */
            claimed: components["schemas"]["Amount"];
            /** @description Collected into earnings so far. */
            collected: components["schemas"]["Amount"];
            /** @description Mint of the amounts. */
            currency: components["schemas"]["Address"];
            /**
             * Format: u-int8
             * @description Decimals of the mint; `null` if the cluster does not know it.
             */
            decimals?: number | null;
            /** @description Of it withheld until a verdict. */
            disputed: components["schemas"]["Amount"];
            /** @description Whether one token is a US dollar. */
            dollars: boolean;
            /** @description Settled on chain and not collected, in channels of any operator. */
            settled: components["schemas"]["Amount"];
            /** @description Name of a well-known currency, such as `USDC`. */
            symbol?: string | null;
            vouched?: null | components["schemas"]["Amount"];
            /** @description Of it owed to parents that have not pulled it. */
            waiting: components["schemas"]["Amount"];
        };
        /** @description Units used under one license. */
        StatementEntry: {
            /**
             * Format: u-int16
             * @description Index of the license on the channel.
             */
            license: number;
            /**
             * Format: u-int32
             * @description Number of units.
             */
            units: number;
        };
        /** @description Record of a settled statement in its channel's MMR. */
        StatementRecordParts: {
            /** @description Channel. */
            channel: components["schemas"]["Address"];
            /** @description Prices and fees since the channel opened. */
            cumulative: components["schemas"]["Amount"];
            /** @description Operator's fee. */
            fee: components["schemas"]["Amount"];
            /**
             * Format: u-int64
             * @description Slot of the channel's opening.
             */
            opened_slot: number;
            /** @description Prices of the statement. */
            prices: components["schemas"]["Amount"];
            receipts_root?: null | components["schemas"]["Digest"];
            /**
             * Format: u-int64
             * @description Number of the statement.
             */
            statement: number;
            /** @description SHA-256 of the statement's entries. */
            statement_digest: components["schemas"]["Digest"];
        };
        /** @description State of a statement. */
        StatementState: {
            /** @description Total of the channel with this statement. */
            cumulative: components["schemas"]["Amount"];
            /** @description Units used, by license. */
            entries: components["schemas"]["StatementEntry"][];
            /** @description Sum of its generations' prices. */
            prices: components["schemas"]["Amount"];
            /**
             * Format: u-int32
             * @description Number of receipts.
             */
            receipts: number;
            /**
             * Format: u-int64
             * @description Number of the statement.
             */
            statement: number;
            voucher?: null | components["schemas"]["VoucherParts"];
        };
        /** @description Totals of a stream. */
        StreamEnd: {
            /**
             * Format: u-int64
             * @description Bytes of all parts.
             */
            bytes: number;
            last_receipt?: null | components["schemas"]["Digest"];
            /**
             * Format: u-int32
             * @description Number of parts.
             */
            parts: number;
            /**
             * Format: u-int64
             * @description Units of all parts.
             */
            units: number;
        };
        /** @description Server-sent event of a stream: the tag is the event's name, the content its data. */
        StreamEvent: {
            /** @description The stream waits for this payment. */
            data: components["schemas"]["Due"];
            /** @enum {string} */
            event: "due";
        } | {
            /** @description Paid part. */
            data: components["schemas"]["StreamedPart"];
            /** @enum {string} */
            event: "output";
        } | {
            /** @description End of the stream. */
            data: components["schemas"]["StreamEnd"];
            /** @enum {string} */
            event: "end";
        } | {
            /** @description The stream failed; the rest was not charged. */
            data: components["schemas"]["StreamFailure"];
            /** @enum {string} */
            event: "failed";
        };
        /** @description Failure of a stream. */
        StreamFailure: {
            /** @description Description of the failure. */
            detail: string;
            /** @description Slug of the problem type. */
            type: string;
        };
        /** @description Part of a stream. */
        StreamedPart: {
            /** @description Bytes of the part, standard base64. */
            body: string;
            /**
             * Format: u-int32
             * @description Number of the part, from 0.
             */
            part: number;
            /** @description Receipt of the part. */
            receipt: components["schemas"]["ReceiptParts"];
        };
        /** @description Sibling on the Merkle-sum path from a receipt to the root. */
        SumSibling: {
            /** @description Hash of the node. */
            hash: components["schemas"]["Digest"];
            /** @description Whether the sibling is the left child. */
            is_left: boolean;
            /** @description Sum of the receipts below the node. */
            sum: components["schemas"]["Amount"];
        };
        /** @description Response of `GET /supported` of a facilitator. */
        Supported: {
            /** @description Supported extensions. */
            extensions: string[];
            /** @description Supported payments. */
            kinds: components["schemas"]["Kind"][];
            /** @description Fee payers by network. */
            signers: {
                [key: string]: components["schemas"]["Address"][];
            };
        };
        /** @description Version of a work's terms. */
        TermsFacts: {
            /** @description Whether each acceptance needs the owner's approval. */
            approval_required: boolean;
            /** @description Whether outputs must credit the creator. */
            attribution: boolean;
            /** @description Whether commercial use is licensed. */
            commercial: boolean;
            /** @description Mint of all amounts. */
            currency: components["schemas"]["Address"];
            /**
             * Format: u-int16
             * @description Minimum share in a derivative's earnings, basis points.
             */
            derivative_share_bps: number;
            /** @description Permission to register derivatives: `forbidden`, `approval` or `allowed`. */
            derivatives: string;
            /** @description Digest that an acceptance names. */
            digest: components["schemas"]["Digest"];
            /**
             * Format: int64
             * @description Last unix second of acceptance, use and settlement.
             */
            expires_at?: number | null;
            /**
             * Format: u-int64
             * @description Free units of each license.
             */
            free_units: number;
            /**
             * Format: u-int32
             * @description Number of the version.
             */
            number: number;
            /** @description Whether licensees may sublicense. */
            sublicensing: boolean;
            /** @description Fee charged once at acceptance. */
            upfront_fee: components["schemas"]["Amount"];
            /** @description Licensed uses and prices. */
            uses: components["schemas"]["PricedUse"][];
            /**
             * Format: int64
             * @description First unix second of acceptance.
             */
            valid_from: number;
        };
        /**
         * @description Request of a license token. The client authenticates by HTTP basic authentication: its identifier is
         *     the payer's address, its secret the receipt, as in the header `motif-receipt`.
         */
        TokenRequest: {
            /** @description `client_credentials`. */
            grant_type: string;
            /** @description Address of the work. */
            resource: string;
        };
        /** @description State of a transaction. */
        TransactionFacts: {
            /** @description Why it failed. */
            detail?: string | null;
            fee_lamports?: null | components["schemas"]["Amount"];
            /** @description Base58. */
            signature: string;
            /**
             * Format: u-int64
             * @description Slot in which it landed.
             */
            slot?: number | null;
            /** @description Outcome. */
            state: components["schemas"]["TransactionState"];
        };
        /** @description Signed transaction to send. */
        TransactionRequest: {
            /** @description Standard base64 of a transaction, legacy or version 0 without lookup tables, at most 1,232 bytes. */
            transaction: string;
        };
        /**
         * @description Outcome of a transaction.
         * @enum {string}
         */
        TransactionState: "unknown" | "confirmed" | "failed";
        /**
         * @description Unit in which a use is counted. Stored as one byte, in this order: append only.
         * @enum {string}
         */
        Unit: "generation" | "second" | "thousand-tokens" | "training-run";
        /**
         * @description Grouping of a usage report.
         * @enum {string}
         */
        UsageBy: "work" | "day" | "platform" | "channel" | "api-key";
        /** @description Usage and spending, settled or not. */
        UsageReport: {
            /** @description Grouping. */
            by: components["schemas"]["UsageBy"];
            /**
             * Format: int64
             * @description First unix second; `null` for the first generation.
             */
            from?: number | null;
            /** @description One row for each name and currency, in that order. */
            rows: components["schemas"]["UsageRow"][];
            /**
             * Format: int64
             * @description Unix second after the last; `null` for now.
             */
            until?: number | null;
        };
        /** @description Row of a usage report. */
        UsageRow: {
            /** @description Sum of prices and operator fees. */
            charged: components["schemas"]["Amount"];
            /**
             * Format: u-int64
             * @description Number of paid generations.
             */
            generations: number;
            /** @description Mint of the amounts. */
            mint: components["schemas"]["Address"];
            /** @description Work, day (`2026-11-23`), payer, channel or API key; empty for requests without one. */
            name: string;
            /** @description Sum of prices. */
            prices: components["schemas"]["Amount"];
            /**
             * Format: u-int64
             * @description Units used, including free ones.
             */
            units: number;
        };
        /**
         * @description Use of a work. Stored as one byte, in this order: append only.
         * @enum {string}
         */
        Use: "generate" | "style-transfer" | "voice-convert" | "train" | "fine-tune" | "play";
        /** @description Response of `POST /verify` of a facilitator. */
        Verification: {
            /** @description Description of a refusal. */
            invalidMessage?: string | null;
            /** @description Reason of a refusal, a word of the specification. */
            invalidReason?: string | null;
            /** @description Whether the payment would settle now. */
            isValid: boolean;
            payer?: null | components["schemas"]["Address"];
        };
        /**
         * @description A signed voucher, field by field, so that a voucher for something else can be told from a
         *     bad signature.
         */
        VoucherParts: {
            /** @description Channel that pays. */
            channel: components["schemas"]["Address"];
            /** @description Cluster tag. */
            cluster: components["schemas"]["Digest"];
            /** @description Prices and fees since the channel opened, this generation's included. */
            cumulative: components["schemas"]["Amount"];
            /**
             * Format: int64
             * @description Last unix second in which the voucher can settle.
             */
            expires_at: number;
            /**
             * Format: u-int64
             * @description Slot of the channel's opening.
             */
            opened_slot: number;
            /** @description Signature by the channel's voucher key. */
            signature: components["schemas"]["SignatureHex"];
            /**
             * Format: u-int64
             * @description Number of the statement.
             */
            statement: number;
            /** @description SHA-256 of the statement's entries, this generation's units included. */
            statement_digest: components["schemas"]["Digest"];
        };
        /** @description Webhook. */
        Webhook: {
            /**
             * Format: int64
             * @description Unix seconds.
             */
            created_at: number;
            /**
             * Format: int64
             * @description Unix second in which it was disabled after failures; `null` while it is enabled.
             */
            disabled_at?: number | null;
            /**
             * Format: int64
             * @description Unix second of the first of the failures since the last success; `null` without one.
             */
            failing_since?: number | null;
            /** @description Identifier: 32 hexadecimal digits. */
            id: string;
            /** @description Kinds of events; empty for all. */
            kinds: components["schemas"]["EventKind"][];
            /** @description Where events are sent. */
            url: string;
        };
        /** @description Webhooks of a person, oldest first. */
        WebhookList: {
            /** @description At most 5. */
            webhooks: components["schemas"]["Webhook"][];
        };
        /** @description On-chain state of one work. */
        WorkDetailsFacts: {
            /** @description Derivatives, earliest registration first. */
            children: components["schemas"]["RelatedWork"][];
            /** @description Other registrations of the same content, earliest first. */
            conflicts: components["schemas"]["RelatedWork"][];
            dispute?: null | components["schemas"]["DisputeFacts"];
            /** @description Earnings, one entry for each currency. */
            earnings: components["schemas"]["EarningsFacts"][];
            /** @description Parents. */
            parents: components["schemas"]["RelatedWork"][];
            split_change?: null | components["schemas"]["SplitChangeFacts"];
            /** @description Work and its latest terms. */
            work: components["schemas"]["WorkFacts"];
        };
        /** @description Earnings of a work. */
        WorkEarnings: {
            /**
             * Format: int64
             * @description Unix second of the read.
             */
            as_of: number;
            /** @description One entry for each currency. */
            currencies: components["schemas"]["Standing"][];
            /** @description Parts of parents. */
            parents: components["schemas"]["ParentPart"][];
            /** @description Parts of recipients. */
            recipients: components["schemas"]["RecipientPart"][];
            /** @description The work. */
            work: components["schemas"]["Address"];
        };
        /** @description Registered work. */
        WorkFacts: {
            certificate?: null | components["schemas"]["Address"];
            consent?: null | components["schemas"]["ConsentFacts"];
            /** @description SHA-256 of the content. */
            content_digest: components["schemas"]["Digest"];
            /** @description Key that registered the work. */
            creator: components["schemas"]["Address"];
            /** @description Conditions that the parents' terms set on its terms. */
            inherited: components["schemas"]["InheritedFacts"];
            /** @description Kind of content. */
            kind: components["schemas"]["WorkKind"];
            /** @description SHA-256 of the metadata. */
            metadata_digest: components["schemas"]["Digest"];
            /** @description URI of the metadata, which the gateway does not fetch. */
            metadata_uri: string;
            model?: null | components["schemas"]["ModelFacts"];
            /** @description Key that publishes its terms. */
            owner: components["schemas"]["Address"];
            /** @description Parents. */
            parents: components["schemas"]["ParentShare"][];
            pending_owner?: null | components["schemas"]["Address"];
            /**
             * Format: int64
             * @description On-chain unix second of registration.
             */
            registered_at: number;
            /** @description Recipients of the earnings that remain after the parents' shares. */
            split: components["schemas"]["RecipientShare"][];
            /**
             * Format: u-int32
             * @description Version of the split.
             */
            split_version: number;
            /** @description Status. */
            status: components["schemas"]["WorkStatus"];
            terms?: null | components["schemas"]["TermsFacts"];
            /** @description Title as the owner states it, at most 64 bytes; possibly empty. */
            title: string;
            /**
             * Format: int64
             * @description On-chain unix second of withdrawal. Existing licenses continue for their notice.
             */
            withdrawn_at?: number | null;
            /** @description Address of the work. */
            work: components["schemas"]["Address"];
        };
        /** @description Result for one work. */
        WorkFinding: {
            /** @description Relation to the content. */
            standing: components["schemas"]["WorkStanding"];
            /** @description Work. */
            work: components["schemas"]["Address"];
        };
        /**
         * @description Kind of a work. Stored as one byte, in this order: append only.
         * @enum {string}
         */
        WorkKind: "image" | "recording" | "voice" | "text" | "video" | "dataset" | "style-model";
        /** @description Page of works. */
        WorkList: {
            /**
             * Format: u-int32
             * @description Number of skipped works.
             */
            offset: number;
            /**
             * Format: u-int64
             * @description Number of matching works.
             */
            total: number;
            /** @description Works, earliest registration first. */
            works: components["schemas"]["WorkFacts"][];
        };
        /** @description Receipts of a work on a channel, in order of statement and position. */
        WorkReceipts: {
            /** @description Receipts; fewer than the limit after the last one. */
            receipts: components["schemas"]["ReceiptParts"][];
        };
        /**
         * @description Relation of a named work to content.
         * @enum {string}
         */
        WorkStanding: "confirmed" | "licensed" | "claimed" | "other-content" | "unknown";
        /**
         * @description Status of a work. Stored as one byte, in this order: append only.
         * @enum {string}
         */
        WorkStatus: "active" | "withdrawn" | "disputed";
        /**
         * @description Grouping of a work's usage.
         * @enum {string}
         */
        WorkUsageBy: "day" | "use" | "platform";
        /** @description Usage of a work at a gateway, settled or not. */
        WorkUsageReport: {
            /** @description Grouping. */
            by: components["schemas"]["WorkUsageBy"];
            /**
             * Format: int64
             * @description First unix second, the start of its day; `null` for the first generation.
             */
            from?: number | null;
            /** @description One row for each name and currency, in that order. */
            rows: components["schemas"]["WorkUsageRow"][];
            /**
             * Format: int64
             * @description Unix second after the last, the start of its day; `null` for now.
             */
            until?: number | null;
            /** @description The work. */
            work: components["schemas"]["Address"];
        };
        /** @description Row of a work's usage. */
        WorkUsageRow: {
            /** @description Sum of prices and operator fees. */
            charged: components["schemas"]["Amount"];
            /**
             * Format: u-int64
             * @description Number of paid generations.
             */
            generations: number;
            /** @description Mint of the amounts. */
            mint: components["schemas"]["Address"];
            /** @description Day (`2026-11-23`), use (`generate`) or payer. */
            name: string;
            /** @description Sum of prices, which the work earns before its splits. */
            prices: components["schemas"]["Amount"];
            /** @description Of the prices, those of settled statements. */
            settled: components["schemas"]["Amount"];
            /**
             * Format: u-int64
             * @description Units used, including free ones.
             */
            units: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    discover: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Discovery"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    alive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    introspect_license_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["IntrospectionRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Introspection"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OauthError"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    issue_license_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LicenseToken"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OauthError"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OauthError"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_interface: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_robots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_terms: {
        parameters: {
            query?: {
                /** @description Key that registered the work. */
                creator?: components["schemas"]["Address"];
                /** @description Present owner. */
                owner?: components["schemas"]["Address"];
                /** @description Kind of content. */
                kind?: components["schemas"]["WorkKind"];
                /** @description Status: active, withdrawn or disputed. */
                status?: components["schemas"]["WorkStatus"];
                /** @description Use that the latest terms license. */
                use?: components["schemas"]["Use"];
                /** @description Maximum price of one unit of the use, or of any use. */
                max_price?: components["schemas"]["Amount"];
                /** @description Mint of the latest terms. */
                currency?: components["schemas"]["Address"];
                /** @description Maximum number of works; default 100, at most 1,000. */
                limit?: number;
                /** @description Number of works to skip. */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/rsl+xml": string;
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    authenticate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AuthenticationRequest"];
                "application/octet-stream": number[];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Authentication"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_badge: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                work: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/svg+xml": string;
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_cluster: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterFacts"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    read_accounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountsRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountsFacts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_blockhash: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BlockhashFacts"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    give_test_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaucetRequest"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    quote_sponsorship: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TransactionRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SponsorshipQuote"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_transaction: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TransactionRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SentTransaction"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_transaction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                signature: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionFacts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    open_channel: {
        parameters: {
            query?: never;
            header?: {
                "motif-reader"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenChannel"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelState"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_channel: {
        parameters: {
            query?: never;
            header?: {
                "motif-reader"?: string | null;
            };
            path: {
                channel: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelState"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pay_for_batch: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path: {
                channel: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchReceipts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    close_channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PayerProof"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Closing"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stream_channel_events: {
        parameters: {
            query?: never;
            header?: {
                "motif-reader"?: string | null;
                "last-event-id"?: string | null;
            };
            path: {
                channel: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Event"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pay_for_generation: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path: {
                channel: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GenerationRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptParts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hold: {
        parameters: {
            query?: never;
            header: {
                "Idempotency-Key": string;
            };
            path: {
                channel: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HoldRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldFacts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_receipts: {
        parameters: {
            query?: {
                /** @description Number of the statement; the open statement if it is missing. */
                statement?: number;
                /** @description Maximum number of receipts, at most 1,000. */
                limit?: number;
                /** @description Position of the first receipt. */
                offset?: number;
            };
            header?: {
                "motif-reader"?: string | null;
            };
            path: {
                channel: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    settle_channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                channel: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PayerProof"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settlements"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    report_usage: {
        parameters: {
            query: {
                /** @description Dimension to group by. */
                by: components["schemas"]["UsageBy"];
                /** @description First unix second. */
                from?: number;
                /** @description Unix second after the last. */
                until?: number;
                /** @description Format of the report. */
                format?: "json" | "csv";
            };
            header?: {
                "motif-reader"?: string | null;
            };
            path: {
                channel: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageReport"];
                    "text/csv": string;
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    capture_hold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                hold: components["schemas"]["Digest"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GenerationRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptParts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            421: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_hold_receipt: {
        parameters: {
            query: {
                /** @description Channel of the hold. */
                channel: components["schemas"]["Address"];
            };
            header?: {
                "motif-reader"?: string | null;
            };
            path: {
                hold: components["schemas"]["Digest"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptParts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    release_hold: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                hold: components["schemas"]["Digest"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReleaseRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HoldFacts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_metadata: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                digest: components["schemas"]["Digest"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Metadata"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    host_metadata: {
        parameters: {
            query: {
                /** @description Address of the work. */
                work: components["schemas"]["Address"];
            };
            header?: never;
            path: {
                digest: components["schemas"]["Digest"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Metadata"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hosted"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hosted"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_operator: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operator"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_paywall: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaidRoutes"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_paid_channels: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                address: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaidChannels"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_person_earnings: {
        parameters: {
            query?: never;
            header?: {
                "motif-person"?: string | null;
            };
            path: {
                address: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonEarnings"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stream_person_events: {
        parameters: {
            query?: never;
            header: {
                "motif-person": string;
                "last-event-id"?: string | null;
            };
            path: {
                address: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Event"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_webhooks: {
        parameters: {
            query?: never;
            header: {
                "motif-person": string;
            };
            path: {
                address: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_webhook: {
        parameters: {
            query?: never;
            header: {
                "motif-person": string;
            };
            path: {
                address: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewWebhook"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreatedWebhook"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    remove_webhook: {
        parameters: {
            query?: never;
            header: {
                "motif-person": string;
            };
            path: {
                address: components["schemas"]["Address"];
                webhook: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemovedWebhook"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_deliveries: {
        parameters: {
            query?: never;
            header: {
                "motif-person": string;
            };
            path: {
                address: components["schemas"]["Address"];
                webhook: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryList"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    test_webhook: {
        parameters: {
            query?: never;
            header: {
                "motif-person": string;
            };
            path: {
                address: components["schemas"]["Address"];
                webhook: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivery"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_preview: {
        parameters: {
            query?: {
                /** @description Size; default `large`. */
                size?: "large" | "small";
            };
            header?: never;
            path: {
                digest: components["schemas"]["Digest"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    host_preview: {
        parameters: {
            query: {
                /** @description Address of the work. */
                work: components["schemas"]["Address"];
            };
            header?: never;
            path: {
                digest: components["schemas"]["Digest"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hosted"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hosted"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    prove_receipt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                receipt: components["schemas"]["Digest"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptProofParts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_works: {
        parameters: {
            query?: {
                /** @description Key that registered the work. */
                creator?: components["schemas"]["Address"];
                /** @description Present owner. */
                owner?: components["schemas"]["Address"];
                /** @description Kind of content. */
                kind?: components["schemas"]["WorkKind"];
                /** @description Status: active, withdrawn or disputed. */
                status?: components["schemas"]["WorkStatus"];
                /** @description Use that the latest terms license. */
                use?: components["schemas"]["Use"];
                /** @description Maximum price of one unit of the use, or of any use. */
                max_price?: components["schemas"]["Amount"];
                /** @description Mint of the latest terms. */
                currency?: components["schemas"]["Address"];
                /** @description Maximum number of works; default 100, at most 1,000. */
                limit?: number;
                /** @description Number of works to skip. */
                offset?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkList"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_work: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                work: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkDetailsFacts"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_work_earnings: {
        parameters: {
            query?: never;
            header?: {
                "motif-person"?: string | null;
            };
            path: {
                work: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkEarnings"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_lineage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                work: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineageFacts"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_quote: {
        parameters: {
            query: {
                /** @description Use to quote. */
                use: components["schemas"]["Use"];
            };
            header?: never;
            path: {
                work: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Quote"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_work_receipts: {
        parameters: {
            query?: never;
            header?: {
                "motif-person"?: string | null;
            };
            path: {
                work: components["schemas"]["Address"];
                /** @description The channel. */
                channel: string;
                /** @description Number of the first statement. */
                statement: number;
                /** @description First position in that statement. */
                position: number;
                /** @description Maximum number of receipts, at most 1,000. */
                limit: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkReceipts"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    report_work_usage: {
        parameters: {
            query: {
                /** @description Dimension to group by. */
                by: components["schemas"]["WorkUsageBy"];
                /** @description First unix second, rounded down to its day. */
                from?: number;
                /** @description Unix second after the last, rounded up to the end of its day. */
                until?: number;
                /** @description Format; without it, CSV for `accept: text/csv`. */
                format?: "json" | "csv";
            };
            header?: {
                "motif-person"?: string | null;
            };
            path: {
                work: components["schemas"]["Address"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkUsageReport"];
                    "text/csv": string;
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    settle_payment: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FacilitatorRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settlement"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_supported_payments: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Supported"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verify_payment: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FacilitatorRequest"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verification"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}

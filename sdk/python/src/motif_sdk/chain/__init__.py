"""Works, terms, channels and earnings on chain. Needs the extra `chain`.

Instructions come from the same rules as the programs' own; `solders` makes transactions of them.
"""

from ._client import Acceptance, Chain, Parent
from ._cluster import Account, Cluster, RpcCluster
from ._transactions import instructions

__all__ = ["Acceptance", "Account", "Chain", "Cluster", "Parent", "RpcCluster", "instructions"]

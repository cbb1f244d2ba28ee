"""What of this layer is kept long enough: messages. (Devices: `subscriptions.ageing` knows whose they are.)"""

from ansim import retention
from ansim.retention_models import Kind

SORTS = (retention.by_time("messages", Kind.MESSAGE, "pushes_message", "created_at", "state <> 'owed'"),)

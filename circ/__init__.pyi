from circ.api import CircError as CircError
from circ.api import HandedOver as HandedOver
from circ.api import Outcome as Outcome
from circ.api import Spec as Spec
from circ.api import load as load
from circ.api import network as network

def load_ipython_extension(ipython: object) -> None: ...

"""Public data sets over the network: resumed, checked, unpacked."""

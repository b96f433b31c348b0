"""Records of single kinds of devices, where a row of stations.csv is not enough."""

"""Records of single kinds of devices, where a row of stations.csv is not enough, and of the county's broadcast
platform."""

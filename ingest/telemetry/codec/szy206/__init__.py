"""SZY 206-2016, the protocol of water-resources monitoring, as far as one implementation and six messages
tell it: levels' decimals, the order of the bytes of an address's number and of words, and kind 14 are not
known (docs/devices/sl651.md)."""

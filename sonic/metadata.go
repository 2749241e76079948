package sonic

// TableDeviceMetadata is the table of sonic-device_metadata.yang.
const TableDeviceMetadata = "DEVICE_METADATA"

// DeviceMetadata is DEVICE_METADATA|localhost, as far as it says what the
// switch is (sonic-device_metadata.yang).
type DeviceMetadata struct {
	Platform string
	HWSKU    string
	MAC      string
}

// Metadata reads the switch's metadata; what is not there is empty.
func Metadata(db DB) DeviceMetadata {
	fields := db[Key{TableDeviceMetadata, "localhost"}]
	return DeviceMetadata{
		Platform: fields.value("platform"), HWSKU: fields.value("hwsku"), MAC: fields.value("mac"),
	}
}

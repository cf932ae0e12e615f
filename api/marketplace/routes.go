package marketplace

import (
	"net/http"
	"slices"
)

// Route is one operation at one path.
type Route struct {
	Method, Path string
	// Operation is the name in the journal and in the OpenAPI documents.
	Operation string
	serve     func(*call) error
}

// The prefixes of the gateway, below which, and bare, the contracts are served.
const (
	prefixMarketplace = "/afm/marketplace-service/v1"
	prefixCalculator  = "/afm/calculator-service/v1"
	prefixNode        = "/afm/node/calculator-service/v1"
	prefixUtils       = "/afm/utils/v1"
	prefixNative      = "/gec/v1"
)

// Routes is the table of everything that is served here. The OpenAPI documents are tested against it.
func Routes() (table []Route) {
	add := func(prefixes []string, routes []Route) {
		for _, prefix := range prefixes {
			for _, r := range routes {
				r.Path = prefix + r.Path
				table = append(table, r)
			}
		}
	}
	add([]string{"", prefixMarketplace}, slices.Concat(pspRoutes(), ecRoutes(), registryRoutes(), methodRoutes()))
	add([]string{prefixMarketplace}, []Route{{http.MethodGet, "/payment-methods/{paymentMethodId}", "getPaymentMethod", getPaymentMethod}})
	add([]string{"", prefixCalculator, prefixNode}, searchRoutes())
	add([]string{"", prefixUtils}, cdiRoutes())
	add([]string{prefixNative}, nativeRoutes())
	return table
}

const get, post, put, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete

// pspRoutes are what a PSP does, and those who act for it.
func pspRoutes() []Route {
	return []Route{
		{get, "/psps/{idPsp}/bundles", "getBundlesByPsp", getPSPBundles},
		{post, "/psps/{idPsp}/bundles", "createBundle", createBundle},
		{post, "/psps/{idPsp}/bundles/massive", "createBundles", createBundles},
		{get, "/psps/{idPsp}/bundles/{idBundle}", "getBundleByPsp", getPSPBundle},
		{put, "/psps/{idPsp}/bundles/{idBundle}", "updateBundle", updateBundle},
		{remove, "/psps/{idPsp}/bundles/{idBundle}", "deleteBundle", deleteBundle},
		{get, "/psps/{idPsp}/bundles/{idBundle}/creditorInstitutions", "getSubscribers", getSubscribers},
		{get, "/psps/{idPsp}/bundles/{idBundle}/creditorInstitutions/{ciFiscalCode}", "getSubscriber", getSubscriber},
		{post, "/psps/{idPsp}/bundles/{idBundle}/offers", "createOffers", createOffers},
		{remove, "/psps/{idPsp}/bundles/{idBundle}/offers/{idBundleOffer}", "deleteOffer", deleteOffer},
		{get, "/psps/{idPsp}/offers", "getOffersByPsp", getPSPOffers},
		{get, "/psps/{idPsp}/requests", "getRequestsByPsp", getPSPRequests},
		{post, "/psps/{idPsp}/requests/{idBundleRequest}/accept", "acceptRequest", acceptRequest},
		{post, "/psps/{idPsp}/requests/{idBundleRequest}/reject", "rejectRequest", rejectRequest},
	}
}

// ecRoutes are what an EC does, and those who act for it.
func ecRoutes() []Route {
	return []Route{
		{get, "/cis/{ciFiscalCode}/bundles", "getBundlesByCi", getECBundles},
		{get, "/cis/{ciFiscalCode}/bundles/{idBundle}", "getBundleByCi", getECBundle},
		{remove, "/cis/{ciFiscalCode}/bundles/{idBundle}", "deleteBundleByCi", leaveBundle},
		{get, "/cis/{ciFiscalCode}/bundles/{idBundle}/attributes", "getAttributes", getAttributes},
		{post, "/cis/{ciFiscalCode}/bundles/{idBundle}/attributes", "createAttribute", createAttribute},
		{put, "/cis/{ciFiscalCode}/bundles/{idBundle}/attributes/{idAttribute}", "updateAttribute", updateAttribute},
		{remove, "/cis/{ciFiscalCode}/bundles/{idBundle}/attributes/{idAttribute}", "deleteAttribute", deleteAttribute},
		{get, "/cis/{ciFiscalCode}/offers", "getOffersByCi", getECOffers},
		{post, "/cis/{ciFiscalCode}/offers/{idBundleOffer}/accept", "acceptOffer", acceptOffer},
		{post, "/cis/{ciFiscalCode}/offers/{idBundleOffer}/reject", "rejectOffer", rejectOffer},
		{get, "/cis/{ciFiscalCode}/requests", "getRequestsByCi", getECRequests},
		{post, "/cis/{ciFiscalCode}/requests", "createRequest", createRequest},
		{remove, "/cis/{ciFiscalCode}/requests/{idBundleRequest}", "deleteRequest", deleteRequest},
	}
}

// registryRoutes are the bundles of all, and what the operator registers.
func registryRoutes() []Route {
	return []Route{
		{get, "/bundles", "getBundles", getBundles},
		{get, "/bundles/{idBundle}", "getBundle", getBundle},
		{get, "/touchpoints", "getTouchpoints", getTouchpoints},
		{post, "/touchpoints", "createTouchpoint", createTouchpoint},
		{get, "/touchpoints/{idTouchpoint}", "getTouchpoint", getTouchpoint},
		{remove, "/touchpoints/{idTouchpoint}", "deleteTouchpoint", deleteTouchpoint},
		{get, "/paymenttypes", "getPaymentTypes", getPaymentTypes},
		{post, "/paymenttypes", "syncPaymentTypes", syncPaymentTypes},
		{post, "/paymenttypes/create", "createPaymentType", createPaymentType},
		{get, "/paymenttypes/{paymentType}", "getPaymentType", getPaymentType},
		{remove, "/paymenttypes/delete/{paymentType}", "deletePaymentType", deletePaymentType},
		{get, "/configuration", "getConfiguration", getConfiguration},
	}
}

// methodRoutes are the operator's payment methods, without the one that the calculator has too.
func methodRoutes() []Route {
	return []Route{
		{get, "/payment-methods", "getPaymentMethods", getPaymentMethods},
		{post, "/payment-methods", "createPaymentMethod", createPaymentMethod},
		{put, "/payment-methods/{paymentMethodId}", "updatePaymentMethod", updatePaymentMethod},
		{remove, "/payment-methods/{paymentMethodId}", "deletePaymentMethod", deletePaymentMethod},
	}
}

// searchRoutes are the payment methods as payments see them.
func searchRoutes() []Route {
	return []Route{
		{post, "/payment-methods/search", "searchPaymentMethods", searchPaymentMethods},
		{get, "/payment-methods/{paymentMethodId}", "getPaymentMethod", getPaymentMethod},
	}
}

// cdiRoutes are the platform's utils.
func cdiRoutes() []Route {
	return []Route{
		{post, "/cdis/sync", "syncCdis", syncCDIs},
		{get, "/cdis/sync", "getCdiSyncs", getCDISyncs},
		{remove, "/cdis/sync", "deleteCdis", deleteCDIs},
		{remove, "/psps/{idPsp}/cdis/{idCdi}", "deleteCdi", deleteCDI},
	}
}

// nativeRoutes are our own.
func nativeRoutes() []Route {
	return []Route{
		{post, "/psps/{idPsp}/uploads", "uploadBundles", uploadBundles},
		{get, "/psps/{idPsp}/lint", "lintBundles", lintPSP},
		{post, "/lint", "lintDocument", lintDocument},
		{get, "/revisions", "getRevisions", getRevisions},
		{get, "/diff", "getDiff", getDiff},
		{get, "/bundles/{idBundle}/history", "getHistory", getHistory},
		{post, "/whatif", "whatIf", whatIf},
		{get, "/access", "getAccess", getAccess},
		{get, "/keys", "getKeys", getKeys},
		{post, "/keys", "createKey", createKey},
		{post, "/keys/{idKey}/rotate", "rotateKey", rotateKey},
		{remove, "/keys/{idKey}", "revokeKey", revokeKey},
		{get, "/delegations", "getDelegations", getDelegations},
		{post, "/delegations", "createDelegation", createDelegation},
		{remove, "/delegations/{idDelegation}", "deleteDelegation", deleteDelegation},
	}
}

// Prefixes are the beginnings of the paths that are served here, each with a slash at its end.
func Prefixes() []string {
	return []string{
		"/psps/", "/cis/", "/bundles/", "/touchpoints/", "/paymenttypes/", "/configuration/", "/payment-methods/", "/cdis/",
		prefixMarketplace + "/", prefixUtils + "/", prefixCalculator + "/payment-methods/", prefixNode + "/payment-methods/",
		prefixNative + "/psps/", prefixNative + "/lint/", prefixNative + "/whatif/",
		prefixNative + "/access/", prefixNative + "/keys/", prefixNative + "/delegations/",
		prefixNative + "/revisions/", prefixNative + "/diff/", prefixNative + "/bundles/",
	}
}

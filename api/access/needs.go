package access

// Need is what an operation asks of its caller before anything else is looked at.
type Need uint8

// The needs. The zero Need is that of an operation that is not in the table: nobody may call it.
const (
	// Public operations are open to all: what is said about the service, the page of the citizens, health.
	Public Need = iota + 1
	// Quotes are for those who ask for fees on behalf of payers: the roles quotes, operator and auditor.
	Quotes
	// AnyKey operations are for every key in force; whether the caller may do that for a PSP or an EC, or is
	// the operator or an auditor, is decided where the thing itself is: in package bundles and in Keyring.
	AnyKey
	// Testing operations change the catalogue for test suites, where a setting serves them: open while
	// there are no keys, the operator's from then on.
	Testing
)

// explainWeight is how many calls of a key's rate an explanation takes: it looks at every bundle of the catalogue one by
// one, where a quote looks at those that the index finds. At 10 000 bundles the answer of one takes as long over HTTP as
// that of 3 quotes with one verdict, of 7 with 100, of 35 with 1 000.
const explainWeight = 10

// asking is what an operation asks of its caller, and how many calls of the rate of its key.
type asking struct {
	need  Need
	calls int
}

// askings returns what every operation of the table asks.
func askings() map[string]asking {
	table := map[string]asking{}
	for operation, need := range Needs() {
		table[operation] = asking{need, 1}
	}
	for _, operation := range []string{"explain", "/gec.v1.QuoteService/Explain"} {
		table[operation] = asking{table[operation].need, explainWeight}
	}
	return table
}

// Needs returns the table: every operation by its name in the OpenAPI documents, or by the full method of
// gRPC. An operation that is not in it is refused, and fails the tests.
func Needs() map[string]Need {
	table := map[string]Need{}
	for need, operations := range map[Need][]string{
		Public: {
			"getReceiptKeys", "index", "info", "health", "liveness", "readiness", "listDocuments", "getDocument",
			"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List", "/grpc.health.v1.Health/Watch",
			"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
			"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
		},
		Quotes: {
			"getFees", "getFeesByPsp", "getFeesMulti", "getFeesByPspMulti", "searchPaymentMethods",
			"quote", "batchQuote", "explain", "getStatus",
			"/gec.v1.QuoteService/Quote", "/gec.v1.QuoteService/BatchQuote", "/gec.v1.QuoteService/Explain",
			"/gec.v1.CatalogueService/GetStatus",
		},
		AnyKey: {
			"getBundlesByPsp", "createBundle", "createBundles", "getBundleByPsp", "updateBundle", "deleteBundle",
			"getSubscribers", "getSubscriber", "createOffers", "deleteOffer", "getOffersByPsp", "getRequestsByPsp",
			"acceptRequest", "rejectRequest",
			"getBundlesByCi", "getBundleByCi", "deleteBundleByCi", "getAttributes", "createAttribute", "updateAttribute",
			"deleteAttribute", "getOffersByCi", "acceptOffer", "rejectOffer", "getRequestsByCi", "createRequest", "deleteRequest",
			"getBundles", "getBundle", "getTouchpoints", "createTouchpoint", "getTouchpoint", "deleteTouchpoint",
			"getPaymentTypes", "syncPaymentTypes", "createPaymentType", "getPaymentType", "deletePaymentType", "getConfiguration",
			"getPaymentMethods", "getPaymentMethod", "createPaymentMethod", "updatePaymentMethod", "deletePaymentMethod",
			"syncCdis", "getCdiSyncs", "deleteCdis", "deleteCdi",
			"uploadBundles", "lintBundles", "lintDocument", "getRevisions", "getDiff", "getHistory", "whatIf",
			"getAccess", "getKeys", "createKey", "rotateKey", "revokeKey", "getDelegations", "createDelegation", "deleteDelegation",
			"/gec.v1.BundleService/CreateBundle", "/gec.v1.BundleService/ChangeBundle", "/gec.v1.BundleService/RetireBundle",
			"/gec.v1.BundleService/GetBundle", "/gec.v1.BundleService/ListBundles", "/gec.v1.BundleService/UploadBundles",
			"/gec.v1.BundleService/ValidateBundles",
			"/gec.v1.SubscriptionService/MakeOffers", "/gec.v1.SubscriptionService/ListOffers",
			"/gec.v1.SubscriptionService/AnswerOffer", "/gec.v1.SubscriptionService/MakeRequest",
			"/gec.v1.SubscriptionService/ListRequests", "/gec.v1.SubscriptionService/AnswerRequest",
			"/gec.v1.SubscriptionService/ListSubscriptions", "/gec.v1.SubscriptionService/EndSubscription",
			"/gec.v1.SubscriptionService/AddAttributes", "/gec.v1.SubscriptionService/ChangeAttribute",
			"/gec.v1.SubscriptionService/RemoveAttribute",
			"/gec.v1.CatalogueService/ListRevisions", "/gec.v1.CatalogueService/GetHistory",
			"/gec.v1.CatalogueService/DiffRevisions", "/gec.v1.CatalogueService/WatchRevisions",
		},
		Testing: {
			"testAddBundles", "testDeleteBundles", "testAddTouchpoints", "testDeleteTouchpoints", "testAddPaymentTypes",
			"testDeletePaymentTypes", "testRefresh",
		},
	} {
		for _, operation := range operations {
			table[operation] = need
		}
	}
	return table
}
